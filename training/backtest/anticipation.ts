import { HOUR_MILLISECONDS } from '../../src/units.ts';
import type { RecordedTables } from './recorded-tables.ts';
import type { SchedulePath } from './schedule-path.ts';
import type { Tape } from './tape.ts';

/** A cut of the top leverage to half or less that an exchange recorded, and where the policy was before it. */
export interface Anticipation {
  readonly symbol: string;
  readonly recordedAt: number;
  readonly from: number;
  readonly to: number;
  /** The policy's top leverage an hour before. */
  readonly policyLeverage: number;
  readonly isAnticipated: boolean;
  /** Hours before the record since which the policy had been at or below the new leverage; 0 where it was not. */
  readonly leadHours: number;
}

const CUT_RATIO = 0.5;

/**
 * The recorded cuts of half or more, and whether the policy's cap was at or below the new one before they were recorded. Cuts of hours in which the
 * policy had no table are not counted. An exchange cut some time before it was recorded, so a lead is an upper bound.
 */
export function anticipated(
  tape: Tape,
  tables: RecordedTables,
  paths: ReadonlyMap<string, SchedulePath>,
): readonly Anticipation[] {
  const cuts: Anticipation[] = [];
  for (const { symbol, bars } of tape.markets) {
    const path = paths.get(symbol);
    const versions = tables.get(symbol) ?? [];
    if (path === undefined) continue;
    const tops = path.schedules.map((schedule) => schedule[0].maxLeverage);
    for (let i = 1; i < versions.length; i++) {
      const { recordedAt, brackets } = versions[i];
      const [from, to] = [versions[i - 1].brackets?.[0].maxLeverage, brackets?.[0].maxLeverage];
      if (from === undefined || to === undefined || to > from * CUT_RATIO) continue;
      let hour = bars.openTime.findLastIndex((open) => open + 2 * HOUR_MILLISECONDS <= recordedAt);
      // The tape ends before the cut, or has nothing before it.
      if (hour < 0 || path.opening[hour] < 0 || hour === bars.length - 1) continue;
      const policyLeverage = tops[path.opening[hour]];
      const last = hour;
      while (hour >= 0 && path.opening[hour] >= 0 && tops[path.opening[hour]] <= to) hour--;
      cuts.push({
        symbol,
        recordedAt,
        from,
        to,
        policyLeverage,
        isAnticipated: policyLeverage <= to,
        leadHours: last - hour,
      });
    }
  }
  return cuts;
}
