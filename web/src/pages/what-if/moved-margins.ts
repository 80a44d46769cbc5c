import { useEffect, useState } from 'preact/hooks';
import type { Margin } from '../../answers.ts';
import { Problem, write } from '../../api.ts';
import type { SimulateQuestion } from './account-draft.ts';
import { MOVES, type MovedMargin, movedPrice } from './moves.ts';

/** At a time: the service has others to answer. */
const AT_ONCE = 3;

export interface MovedMargins {
  /** Ascending; empty until all are there. */
  readonly rows: readonly MovedMargin[];
  readonly problem: Problem | null;
}

/** The account with all marks moved alike, each margin asked of the service. */
export function useMovedMargins(
  question: SimulateQuestion | null,
  marks: Readonly<Record<string, string>>,
): MovedMargins {
  const [state, setState] = useState<MovedMargins>({ rows: [], problem: null });
  const key = question === null ? null : JSON.stringify([question, marks]);
  useEffect(() => {
    if (question === null) return;
    let isWanted = true;
    const simulate = async (move: number): Promise<MovedMargin> => {
      const prices = Object.fromEntries(
        Object.entries(marks).map(([symbol, mark]) => [symbol, movedPrice(mark, move)]),
      );
      return {
        move,
        margin: await write<Margin>('/v1/margin/simulate', { method: 'POST', body: { ...question, prices } }),
      };
    };
    const run = async (): Promise<void> => {
      const rows: MovedMargin[] = [];
      for (let first = 0; first < MOVES.length && isWanted; first += AT_ONCE)
        rows.push(...(await Promise.all(MOVES.slice(first, first + AT_ONCE).map(simulate))));
      if (isWanted) setState({ rows, problem: null });
    };
    run().catch((thrown: unknown) => {
      if (isWanted)
        setState({
          rows: [],
          problem: thrown instanceof Problem ? thrown : new Problem('UNREADABLE', -1, String(thrown), ''),
        });
    });
    return () => {
      isWanted = false;
    };
  }, [key]);
  return state;
}
