import { useEffect, useState } from 'preact/hooks';
import { Problem } from './api.ts';
import { joined } from './joined.ts';

export interface NewestFirstOptions<Item> {
  /** The newest page, read by whoever asks; null where there is none yet. */
  readonly newest: readonly Item[] | null;
  /** Numbered 1, 2, 3, … without gaps. */
  readonly numberOf: (item: Item) => number;
  /** The page before a number. @throws Problem */
  readonly before: (number: number, signal: AbortSignal) => Promise<readonly Item[]>;
  readonly matches: (item: Item) => boolean;
  /** Older pages are read until so many match, or none is left. */
  readonly wanted: number;
  /** Where this changes, older pages are read anew. */
  readonly epoch?: string;
}

export interface NewestFirst<Item> {
  /** Those that match, newest first; at most as many as are wanted. */
  readonly items: readonly Item[];
  /** How many were looked at. */
  readonly looked: number;
  /** Whether there is nothing older. */
  readonly isWhole: boolean;
  readonly problem: Problem | null;
  retry(): void;
}

/** What is read page by page from the newest back, as far as a filter needs it. */
export function useNewestFirst<Item>({
  newest,
  numberOf,
  before,
  matches,
  wanted,
  epoch = '',
}: NewestFirstOptions<Item>): NewestFirst<Item> {
  const [older, setOlder] = useState<{ readonly epoch: string; readonly items: readonly Item[] }>({
    epoch,
    items: [],
  });
  const [problem, setProblem] = useState<Problem | null>(null);
  const all = joined(newest ?? [], older.epoch === epoch ? older.items : [], numberOf);
  const matching = all.filter(matches);
  const lowest = all.length === 0 ? null : numberOf(all[all.length - 1]);
  const isWhole = newest !== null && (lowest === null || lowest <= 1);
  const isShort = matching.length < wanted && newest !== null && !isWhole;

  useEffect(() => {
    if (!isShort || lowest === null || problem !== null) return;
    const ended = new AbortController();
    before(lowest, ended.signal)
      .then((page) => {
        // What is kept has to go on from here; a page of nothing would be asked for without end.
        if (page.length === 0) throw new Problem('UNREADABLE', -2, 'older entries are missing', '');
        if (!ended.signal.aborted) setOlder({ epoch, items: [...all, ...page] });
      })
      .catch((thrown: unknown) => {
        if (ended.signal.aborted) return;
        setProblem(thrown instanceof Problem ? thrown : new Problem('UNREADABLE', -2, String(thrown), ''));
      });
    return () => ended.abort();
  }, [isShort, lowest, epoch, problem]);

  return {
    items: matching.slice(0, wanted),
    looked: all.length,
    isWhole: isWhole && matching.length <= wanted,
    problem,
    retry: () => setProblem(null),
  };
}
