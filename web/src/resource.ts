import { useEffect, useState } from 'preact/hooks';
import { Problem, read } from './api.ts';
import { onLive } from './live.ts';
import { keyCell } from './session.ts';

/** What a page reads of the service. The last answer stays while it is read again, and where that fails. */
export interface Resource<T> {
  readonly data: T | null;
  /** Why the newest reading failed; null where it did not. */
  readonly problem: Problem | null;
  readonly isLoading: boolean;
  refresh(): void;
}

/** The kinds of events after which an answer is read again. */
export type Topic = 'limits' | 'accounts' | 'governance' | 'nothing';

const KINDS: Readonly<Record<Topic, readonly string[]>> = {
  limits: ['limits', 'resumed'],
  accounts: ['limits', 'intervention', 'resumed'],
  governance: ['limits', 'governance', 'resumed'],
  nothing: [],
};

interface Kept {
  readonly data: unknown;
  readonly etag: string | null;
}

/** The newest answers by address, so that a page that is opened again shows something at once. */
const kept = new Map<string, Kept>();
const MOST_KEPT = 60;

export interface ResourceOptions {
  readonly on?: Topic;
  /** Read again so often, for what no event tells of. */
  readonly everySeconds?: number;
}

/** @param path null for nothing yet. */
export function useResource<T>(path: string | null, options: ResourceOptions = {}): Resource<T> {
  const { on = 'nothing', everySeconds = 0 } = options;
  const [state, setState] = useState<{ path: string | null; problem: Problem | null; reading: number }>({
    path,
    problem: null,
    reading: 0,
  });
  const [round, setRound] = useState(0);
  const refresh = (): void => setRound((before) => before + 1);

  useEffect(() => {
    if (path === null) return;
    const ended = new AbortController();
    setState((before) => ({
      path,
      problem: before.path === path ? before.problem : null,
      reading: before.reading + 1,
    }));
    read<T>(path, kept.get(path)?.etag ?? null, ended.signal)
      .then((answer) => {
        if (answer !== null) keep(path, answer);
        return null;
      })
      .catch((thrown: unknown) => (thrown instanceof Problem ? thrown : unexpected(thrown)))
      .then((problem) => {
        if (!ended.signal.aborted) setState(({ reading }) => ({ path, problem, reading: reading - 1 }));
        else setState((before) => ({ ...before, reading: before.reading - 1 }));
      });
    return () => ended.abort();
  }, [path, round]);

  useEffect(() => {
    let soon: ReturnType<typeof setTimeout> | undefined;
    const forgetters = [
      onLive(({ kind }) => {
        if (!KINDS[on].includes(kind)) return;
        // A fall of prices is hundreds of interventions, and one reason to read.
        soon ??= setTimeout(() => {
          soon = undefined;
          refresh();
        }, TOGETHER_MILLISECONDS);
      }),
      keyCell.listen(refresh),
    ];
    const timer = everySeconds > 0 ? setInterval(refresh, everySeconds * 1000) : undefined;
    return () => {
      clearTimeout(soon);
      clearInterval(timer);
      for (const forget of forgetters) forget();
    };
  }, [on, everySeconds]);

  // What fails for want of the service comes back by itself.
  useEffect(() => {
    if (state.problem === null || (state.problem.status !== 0 && state.problem.status !== 503)) return;
    const timer = setTimeout(refresh, RETRY_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [state.problem]);

  const data = path === null ? null : ((kept.get(path)?.data as T | undefined) ?? null);
  const isOwn = state.path === path;
  return {
    data,
    problem: isOwn ? state.problem : null,
    isLoading: path !== null && (!isOwn || state.reading > 0),
    refresh,
  };
}

const RETRY_MILLISECONDS = 3000;
const TOGETHER_MILLISECONDS = 200;

function keep(path: string, answer: Kept): void {
  kept.delete(path);
  kept.set(path, answer);
  const [oldest] = kept.keys();
  if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
}

function unexpected(thrown: unknown): Problem {
  if (thrown instanceof DOMException && thrown.name === 'AbortError')
    return new Problem('ABORTED', -1, '', '');
  return new Problem('UNREADABLE', -1, `the answer cannot be read: ${String(thrown)}`, '');
}
