import { isoTime } from '../clock.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  CONFIDENCES,
  HORIZON_COUNT,
  HORIZONS_HOURS,
  SIDES,
} from '../forecast/predictor.ts';
import { eValues, noEvidence, type ShadowEvidence } from './shadow-evidence.ts';

/** Error probability of a statement on who is better; the e-value must reach its inverse. */
export const SHADOW_ERROR_PROBABILITY = 0.05;

/** Sums of one forecaster, by cell of a market (side, horizon, confidence). */
export interface ForecasterSums {
  readonly pinball: number[];
  readonly fz0: number[];
  readonly exceedances: number[];
}

/** What is known of a challenger beside a champion, from the live service alone. Plain data, of a fixed size. */
export interface ShadowRecord {
  readonly champion: string;
  readonly challenger: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** The newest origin that both forecast. */
  readonly newestOrigin: number;
  /** By horizon: origins up to this one were scored, or never can be. */
  readonly settledUntil: readonly number[];
  /** By cell. */
  readonly observations: number[];
  readonly sums: { readonly champion: ForecasterSums; readonly challenger: ForecasterSums };
  readonly evidence: ShadowEvidence;
  /** Origins that the challenger did not forecast, by why. */
  readonly failures: Readonly<Record<ShadowFailure, number>>;
  readonly lastFailure: string;
}

/** `failed`: it threw; `invalid`: what it answered is no forecast; `slow`: it had no answer in its time. */
export const SHADOW_FAILURES = ['failed', 'invalid', 'slow'] as const;
export type ShadowFailure = (typeof SHADOW_FAILURES)[number];

export function newRecord(champion: string, challenger: string, now: number): ShadowRecord {
  const zeros = (): number[] => new Array<number>(CELLS_PER_MARKET).fill(0);
  const sums = (): ForecasterSums => ({ pinball: zeros(), fz0: zeros(), exceedances: zeros() });
  return {
    champion,
    challenger,
    since: now,
    newestOrigin: 0,
    settledUntil: HORIZONS_HOURS.map(() => 0),
    observations: zeros(),
    sums: { champion: sums(), challenger: sums() },
    evidence: noEvidence(),
    failures: { failed: 0, invalid: 0, slow: 0 },
    lastFailure: '',
  };
}

export interface ShadowCell {
  readonly side: 'long' | 'short';
  readonly horizonHours: number;
  readonly confidence: number;
  readonly observations: number;
  readonly pinball: Pair;
  readonly fz0: Pair;
  readonly exceedances: Pair;
}

export interface Pair {
  readonly champion: number;
  readonly challenger: number;
}

/** A shadow record as people read it. Means are null before the first observation. */
export interface ShadowSummary {
  readonly champion: string;
  readonly challenger: string;
  /** ISO 8601. */
  readonly since: string;
  /** Forecasts that came due: one for each market, origin, side, horizon and confidence. */
  readonly observations: number;
  /** Mean over all of them, share of the price; ratio is the challenger's over the champion's. */
  readonly pinball: (Pair & { readonly ratio: number }) | null;
  readonly fz0: (Pair & { readonly difference: number }) | null;
  readonly exceedanceRate: Pair | null;
  /** Against "the challenger is not worse" and "not better" in pinball loss; see `shadow-evidence.ts`. */
  readonly eValues: { readonly worse: number; readonly better: number };
  readonly verdict: 'worse' | 'better' | 'undecided';
  readonly failures: Readonly<Record<ShadowFailure, number>>;
  readonly lastFailure: string;
  readonly cells: readonly ShadowCell[];
}

export function summaryOf(record: ShadowRecord): ShadowSummary {
  const { champion, challenger, observations, sums, evidence, failures, lastFailure } = record;
  const count = total(observations);
  const mean = (name: keyof ForecasterSums): Pair | null =>
    count === 0
      ? null
      : { champion: total(sums.champion[name]) / count, challenger: total(sums.challenger[name]) / count };
  const pinball = mean('pinball');
  const fz0 = mean('fz0');
  const e = eValues(evidence);
  const isSure = (value: number): boolean => value >= 1 / SHADOW_ERROR_PROBABILITY;
  return {
    champion,
    challenger,
    since: isoTime(record.since),
    observations: count,
    pinball: pinball === null ? null : { ...pinball, ratio: ratioOf(pinball) },
    fz0: fz0 === null ? null : { ...fz0, difference: fz0.challenger - fz0.champion },
    exceedanceRate: mean('exceedances'),
    eValues: e,
    // Both at once is a challenger that became another: it is not sure to be better.
    verdict: isSure(e.worse) ? 'worse' : isSure(e.better) ? 'better' : 'undecided',
    failures,
    lastFailure,
    cells: cellsOf(record),
  };
}

/** Where nobody lost anything, neither is better. */
function ratioOf({ champion, challenger }: Pair): number {
  return champion > 0 ? challenger / champion : 1;
}

function cellsOf({ observations, sums }: ShadowRecord): readonly ShadowCell[] {
  return observations.flatMap((count, cell) => {
    if (count === 0) return [];
    const pair = (name: keyof ForecasterSums, by: number): Pair => ({
      champion: sums.champion[name][cell] / by,
      challenger: sums.challenger[name][cell] / by,
    });
    const path = Math.floor(cell / CONFIDENCE_COUNT);
    return [
      {
        side: SIDES[Math.floor(path / HORIZON_COUNT)],
        horizonHours: HORIZONS_HOURS[path % HORIZON_COUNT],
        confidence: CONFIDENCES[cell % CONFIDENCE_COUNT],
        observations: count,
        pinball: pair('pinball', count),
        fz0: pair('fz0', count),
        exceedances: pair('exceedances', 1),
      },
    ];
  });
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Why a challenger should not be promoted by what the live service saw of it, a sentence each. */
export function shadowObstacles(summary: ShadowSummary | null): readonly string[] {
  if (summary?.verdict !== 'worse') return [];
  const { observations, pinball, eValues: e } = summary;
  return [
    `the shadow of ${summary.champion}, in which it was significantly worse: pinball ${pinball?.ratio.toFixed(3)} times the champion's over ${observations} live forecasts, e-value ${e.worse.toFixed(0)}`,
  ];
}
