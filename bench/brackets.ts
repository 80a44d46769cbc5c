import { table } from '../src/cli/command.ts';
import { CONFIDENCES, HORIZONS_HOURS } from '../src/forecast/predictor.ts';
import { closeoutNotional, marginCurve } from '../src/limits/curve.ts';
import { bracketsFromCurve, type ScheduleTarget, type Step } from '../src/limits/cut.ts';
import { fewestLoss } from '../src/limits/fewest-loss.ts';
import { DEFAULT_POLICY, type Policy } from '../src/limits/policy.ts';
import { scaledBrackets } from '../src/limits/scale.ts';
import { SIZE_FORM_KINDS, sizeFormOf, usualLargestNotional } from '../src/limits/size-form.ts';
import { Random } from '../src/random.ts';
import { medianMilliseconds, print } from './measure.ts';

/**
 * What the brackets of 500 markets cost: hourly tails from 0.1 to 5 %, hourly volumes from 50 thousand to 5 billion,
 * every third with an order book. How much leverage the choice of brackets loses is the area between the whole
 * staircase of leverages and the one that is kept, in logs, beside what dropping the cheapest one by one loses.
 */
const MARKETS = 500;
const ROUNDS = 30;
const axes = { horizonsHours: HORIZONS_HOURS, confidences: CONFIDENCES };
const random = new Random(7);

/** Evenly over orders of magnitude. */
function spread(least: number, most: number): number {
  return least * (most / least) ** random.uniform();
}

const targets: readonly ScheduleTarget[] = Array.from({ length: MARKETS }, (_, m) => {
  const hourly = spread(0.001, 0.05);
  const byHorizon = Float64Array.from(HORIZONS_HOURS, (hours) => hourly * hours ** 0.45);
  const profile = { valueAtRiskByHorizon: byHorizon, marginCallShortfall: hourly * 2, shortfallSide: 0 };
  const hourlyVolume = spread(5e4, 5e9);
  const depth = { quoteNotional: hourlyVolume / 50, bandRate: 0.01 };
  const volume = { hourlyVolume, dailyVolatility: hourly };
  const liquidity = m % 3 === 0 ? { ...volume, depth } : volume;
  return {
    curve: marginCurve(profile, liquidity, axes, DEFAULT_POLICY),
    maximumLeverage: DEFAULT_POLICY.maximumLeverage,
    largestNotional: closeoutNotional(DEFAULT_POLICY.maximumCloseoutHorizonHours, liquidity, DEFAULT_POLICY),
  };
});
const cutAll = (policy: Policy) => targets.map((target) => bracketsFromCurve(target, policy));
const schedules = cutAll(DEFAULT_POLICY);
const staircases: readonly (readonly Step[])[] = cutAll({ ...DEFAULT_POLICY, maximumBrackets: 100 }).map(
  (brackets) => brackets.map(({ maxLeverage, notionalCap }) => ({ leverage: maxLeverage, cap: notionalCap })),
);

function lossOf(steps: readonly Step[], kept: readonly Step[]): number {
  return steps.reduce((sum, { leverage, cap }, i) => {
    const left = kept.find((step) => step.cap >= cap) as Step;
    return sum + Math.log(cap / (i === 0 ? 500 : steps[i - 1].cap)) * Math.log(leverage / left.leverage);
  }, 0);
}

function stepwise(steps: readonly Step[], count: number): readonly Step[] {
  let kept = [...steps];
  while (kept.length > count) {
    const tries = kept.slice(0, -1).map((dropped) => kept.filter((step) => step !== dropped));
    kept = tries.reduce((best, one) => (lossOf(steps, one) < lossOf(steps, best) ? one : best));
  }
  return kept;
}

const microseconds = (work: () => unknown): string =>
  ((medianMilliseconds(work, ROUNDS) / MARKETS) * 1000).toFixed(1);
const chooseAll = (count: number) => (): unknown =>
  staircases.map((steps) => (steps.length > count ? fewestLoss(steps, count) : steps));

print(
  table(
    ['work', 'µs a market'],
    [
      ['brackets from the margin curve', microseconds(() => cutAll(DEFAULT_POLICY))],
      ['the choice of 5 where there are more', microseconds(chooseAll(5))],
      ...SIZE_FORM_KINDS.map((kind) => [
        `${kind} form`,
        microseconds(() =>
          schedules.map((brackets) => sizeFormOf(brackets, kind, usualLargestNotional(brackets))),
        ),
      ]),
      [
        'brackets scaled by 0.5',
        microseconds(() => schedules.map((brackets) => scaledBrackets(brackets, 500_000, DEFAULT_POLICY))),
      ],
    ],
  ),
);
print('');
print(
  table(
    ['brackets', 'markets to choose in', 'loss', 'one by one', 'better in'],
    [7, 6, 5, 4, 3].map((count) => {
      const chosen = staircases.filter((steps) => steps.length > count);
      const own = chosen.map((steps) => lossOf(steps, fewestLoss(steps, count)));
      const other = chosen.map((steps) => lossOf(steps, stepwise(steps, count)));
      const mean = (values: readonly number[]): string =>
        (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(3);
      const better = own.filter((loss, i) => loss < other[i] - 1e-9).length;
      return [String(count), String(chosen.length), mean(own), mean(other), String(better)];
    }),
  ),
);
