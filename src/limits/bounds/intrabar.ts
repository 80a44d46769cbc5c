import { guardedSides, guardState, intrabarMove } from '../intrabar.ts';
import { shownForecast, type UsableInput } from '../market-input.ts';
import type { IntrabarState } from '../types.ts';
import {
  type BoundContext,
  capBound,
  type InitialMarginBound,
  type Raise,
  unavailableBound,
} from './bound.ts';

export interface IntrabarBound extends InitialMarginBound {
  /** Null while no move is out of bounds. */
  readonly state: IntrabarState | null;
}

/**
 * Raises initial margin while prices have left what was forecast for the time since the last bar closed. A move of k times
 * what was allowed says that the volatility is k times the forecast one, so margins rise k times, up to the policy's
 * factor; and they cover the move itself. It holds until a later bar has closed, whatever prices do until then.
 *
 * @param initial the market's initial margin rate at the reference notional.
 */
export function intrabarBound(
  input: UsableInput,
  initial: number,
  { policy, axes }: BoundContext,
  previous: IntrabarState | undefined,
): IntrabarBound {
  const { guard } = policy;
  const { intrabar, asOf } = input;
  const source = shownForecast(input);
  const move =
    intrabar === undefined || source === null
      ? null
      : intrabarMove(intrabar, guardedSides(source.valueAtRisk, axes, guard), axes.horizonsHours, guard);
  const state = guardState(asOf, move, previous);
  if (move === null && state === null) {
    const why = source === null ? 'nothing is forecast' : 'no price has come since the last bar closed';
    return { bound: unavailableBound('intrabar', why), raise: null, state: null };
  }
  const raise = state === null ? null : raiseOf(state, guard.maximumFactor, guard.coverRatio);
  const { confidence } = guard;
  const worst = { worstExcursion: state?.excursion ?? null, worstRatio: state?.ratio ?? null };
  const evidence =
    intrabar === undefined || move === null
      ? { confidence, ...intrabar, ...worst }
      : {
          allowedExcursion: move.allowed,
          confidence,
          excursion: move.excursion,
          highestAt: intrabar.highestAt,
          highestPrice: intrabar.highestPrice,
          lowestAt: intrabar.lowestAt,
          lowestPrice: intrabar.lowestPrice,
          ratio: move.ratio,
          referencePrice: intrabar.referencePrice,
          side: move.side,
          since: intrabar.since,
          ...worst,
        };
  const bound = capBound('intrabar', raise === null ? null : 1 / raise(initial), evidence);
  return { bound, raise, state };
}

function raiseOf({ ratio, excursion }: IntrabarState, maximumFactor: number, coverRatio: number): Raise {
  const factor = Math.min(ratio, maximumFactor);
  return (initial) => Math.max(initial, Math.min(Math.max(initial * factor, excursion * coverRatio), 1));
}
