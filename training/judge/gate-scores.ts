import type { GateResult } from '../../models/gate-record.ts';
import type { GatePolicy } from './gate-policy.ts';
import { percent, unmeasured } from './gate-words.ts';
import type { AverageScore, Cell, Judgement, RegimeScore } from './judgement.ts';

interface Gain {
  readonly other: string;
  readonly value: number;
}

/** Scores against the champion and against each classical forecaster, on average and in each regime. */
export function scoreGates(
  judgement: Judgement,
  champion: string | null,
  policy: GatePolicy,
): readonly GateResult[] {
  const { candidate, forecasters } = judgement;
  const classical = forecasters.filter((name) => name !== candidate && name !== champion);
  const own = inScope(judgement.averages, candidate, policy);
  const pinball = (other: string): Gain | null =>
    pinballGain(own, inScope(judgement.averages, other, policy), other);
  const joint = (other: string): Gain | null =>
    fz0Gain(own, inScope(judgement.averages, other, policy), other);
  const results: GateResult[] = [];
  if (champion !== null) {
    results.push(
      gainGate(
        'pinball-against-champion',
        [pinball(champion)],
        policy.leastPinballGainOverChampion,
        pinballWords,
      ),
      gainGate('fz0-against-champion', [joint(champion)], policy.leastFz0GainOverChampion, fz0Words),
    );
  }
  results.push(
    gainGate(
      'pinball-against-classical',
      classical.map(pinball),
      policy.leastPinballGainOverClassical,
      pinballWords,
    ),
    gainGate('fz0-against-classical', classical.map(joint), policy.leastFz0GainOverClassical, fz0Words),
    regimeGate(judgement, policy),
  );
  return results;
}

/** The smallest gain counts; one that could not be measured fails. */
function gainGate(
  gate: string,
  gains: readonly (Gain | null)[],
  bound: number,
  say: (gain: Gain, bound: number) => string,
): GateResult {
  const measured = gains.filter((gain) => gain !== null);
  if (measured.length === 0 || measured.length < gains.length) return unmeasured(gate, bound);
  const least = measured.reduce((smallest, gain) => (gain.value < smallest.value ? gain : smallest));
  return {
    gate,
    passed: least.value >= bound,
    measured: least.value,
    bound,
    words: say(least, bound),
  };
}

function pinballWords({ other, value }: Gain, bound: number): string {
  const side = value >= 0 ? 'below' : 'above';
  return `pinball ${percent(Math.abs(value))} ${side} that of ${other}, mean over cells; it must be ${percent(bound)} below`;
}

function fz0Words({ other, value }: Gain, bound: number): string {
  const side = value >= 0 ? 'below' : 'above';
  return `FZ0 ${Math.abs(value).toFixed(4)} ${side} that of ${other}, mean over cells; it must be ${bound} below`;
}

/** 1 − the geometric mean over cells of own over other; null where they do not have the same cells, or no loss. */
function pinballGain(
  own: readonly AverageScore[],
  others: readonly AverageScore[],
  other: string,
): Gain | null {
  const logs = pairs(own, others)?.map(([a, b]) => Math.log(a.pinball / b.pinball)) ?? [];
  const value = 1 - Math.exp(meanOf(logs));
  return Number.isFinite(value) ? { other, value } : null;
}

function fz0Gain(own: readonly AverageScore[], others: readonly AverageScore[], other: string): Gain | null {
  const value = meanOf(pairs(own, others)?.map(([a, b]) => b.fz0 - a.fz0) ?? []);
  return Number.isFinite(value) ? { other, value } : null;
}

/** The largest ratio of any regime to any other forecaster. */
function regimeGate(judgement: Judgement, policy: GatePolicy): GateResult {
  const { candidate, forecasters, regimes } = judgement;
  const bound = policy.mostRegimePinballRatio;
  let worst: { readonly regime: string; readonly other: string; readonly ratio: number } | null = null;
  for (const regime of wholeRegimes(regimes, candidate)) {
    const here = regimes.filter((one) => one.regime === regime);
    const own = inScope(here, candidate, policy);
    for (const other of forecasters) {
      if (other === candidate) continue;
      const logs =
        pairs(own, inScope(here, other, policy))?.map(([a, b]) => Math.log(a.pinball / b.pinball)) ?? [];
      const ratio = Math.exp(meanOf(logs));
      if (!Number.isFinite(ratio)) return unmeasured('regimes', bound);
      if (worst === null || ratio > worst.ratio) worst = { regime, other, ratio };
    }
  }
  if (worst === null) return unmeasured('regimes', bound);
  return {
    gate: 'regimes',
    passed: worst.ratio <= bound,
    measured: worst.ratio,
    bound,
    words: `pinball at worst ${worst.ratio.toFixed(3)} times that of ${worst.other}, in ${worst.regime}; at most ${bound} times in any regime`,
  };
}

/** Of the quarters only those of which at least half as much was judged as of the fullest: a few days say little. */
function wholeRegimes(regimes: readonly RegimeScore[], candidate: string): readonly string[] {
  const counts = new Map<string, number>();
  for (const { forecaster, regime, observations } of regimes)
    if (forecaster === candidate) counts.set(regime, (counts.get(regime) ?? 0) + observations);
  const isQuarter = (regime: string): boolean => /^\d/.test(regime);
  const fullest = Math.max(0, ...[...counts].flatMap(([regime, n]) => (isQuarter(regime) ? [n] : [])));
  return [...counts].flatMap(([regime, n]) => (isQuarter(regime) && n < fullest / 2 ? [] : [regime]));
}

function inScope<T extends Cell & { readonly forecaster: string }>(
  scores: readonly T[],
  forecaster: string,
  { horizonsHours, confidences }: GatePolicy,
): readonly T[] {
  return scores.filter(
    (one) =>
      one.forecaster === forecaster &&
      (horizonsHours as readonly number[]).includes(one.horizonHours) &&
      (confidences as readonly number[]).includes(one.confidence),
  );
}

/** Both of each cell; null where one has a cell that the other lacks, or there is none. */
function pairs<T extends Cell>(own: readonly T[], others: readonly T[]): readonly (readonly [T, T])[] | null {
  const byKey = new Map(others.map((one) => [keyOf(one), one]));
  const found = own.flatMap((one) => {
    const other = byKey.get(keyOf(one));
    return other === undefined ? [] : [[one, other] as const];
  });
  return found.length === 0 || found.length < Math.max(own.length, others.length) ? null : found;
}

function keyOf({ side, horizonHours, confidence }: Cell): string {
  return `${side}/${horizonHours}/${confidence}`;
}

/** NaN for none. */
function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
