import type { Excursion } from './realised-excursion.ts';
import type { TrackPoint } from './track-point.ts';
import type { MergedBars, TrackReading } from './track-reading.ts';

/** A decision beside what happened. */
export interface TrackedDecision extends TrackPoint {
  /** Worst loss of each side over its horizon; null while that lasts, and where a bar of it is missing. */
  readonly realised: Excursion | null;
  /** Whether that went beyond VaR, null for a side without one; null with `realised`. */
  readonly exceeded: { readonly long: boolean | null; readonly short: boolean | null } | null;
}

export interface TrackedMarket {
  readonly bars: MergedBars;
  /** Oldest first, thinned to as many as were asked for. */
  readonly decisions: readonly TrackedDecision[];
  /** Of all decisions, also those that were thinned out; one for each bar that decisions were made from, the newest. */
  readonly exceedances: { readonly observations: number; readonly long: number; readonly short: number };
}

/** @param points decisions, oldest first. @param most how many are told of. */
export function trackedMarket(
  points: readonly TrackPoint[],
  { bars, realised }: TrackReading,
  most: number,
): TrackedMarket {
  const decisions = points.map((point, i) => ({
    ...point,
    realised: realised[i],
    exceeded: exceededBy(point, realised[i]),
  }));
  return { bars, decisions: thinned(decisions, most), exceedances: countOf(decisions) };
}

function exceededBy(
  { longValueAtRisk, shortValueAtRisk }: TrackPoint,
  realised: Excursion | null,
): TrackedDecision['exceeded'] {
  if (realised === null) return null;
  return {
    long: longValueAtRisk === null ? null : realised.long > longValueAtRisk,
    short: shortValueAtRisk === null ? null : realised.short > shortValueAtRisk,
  };
}

/** Decisions made again from the same bars repeat a forecast. */
function countOf(decisions: readonly TrackedDecision[]): TrackedMarket['exceedances'] {
  const byOrigin = new Map(decisions.map(({ asOf, exceeded }) => [asOf, exceeded]));
  const judged = [...byOrigin.values()].filter(
    (exceeded) => exceeded !== null && (exceeded.long !== null || exceeded.short !== null),
  );
  return {
    observations: judged.length,
    long: judged.filter((exceeded) => exceeded?.long === true).length,
    short: judged.filter((exceeded) => exceeded?.short === true).length,
  };
}

/** The newest, and of so many groups of the others the newest that was exceeded, or else the newest: exceeded ones are looked for. */
function thinned(decisions: readonly TrackedDecision[], most: number): readonly TrackedDecision[] {
  if (decisions.length <= most) return decisions;
  const others = decisions.slice(0, -1);
  const size = Math.ceil(others.length / (most - 1));
  const kept: TrackedDecision[] = [];
  for (let start = 0; start < others.length; start += size) {
    const group = others.slice(start, start + size);
    const isExceeded = ({ exceeded }: TrackedDecision): boolean =>
      exceeded !== null && (exceeded.long === true || exceeded.short === true);
    kept.push(group.findLast(isExceeded) ?? group[group.length - 1]);
  }
  return [...kept, decisions[decisions.length - 1]];
}
