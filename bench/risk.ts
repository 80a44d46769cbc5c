import { table } from '../src/cli/command.ts';
import { Random } from '../src/random.ts';
import { quantileTracking } from '../src/risk/calibration/calibrator.ts';
import { eProcess } from '../src/risk/calibration/e-process.ts';
import { modelConfidenceSet } from '../src/risk/comparison/model-confidence-set.ts';
import { murphyThresholds, valueAtRiskMurphy } from '../src/risk/comparison/murphy.ts';
import { coverageReport } from '../src/risk/coverage/report.ts';
import { kolmogorovSmirnov } from '../src/risk/drift/kolmogorov-smirnov.ts';
import { portfolioRisk } from '../src/risk/portfolio/portfolio-risk.ts';
import { givenScenarios } from '../src/risk/portfolio/return-scenarios.ts';
import { lossesOfReturns } from '../src/risk/tail/loss-sample.ts';
import { estimateRisk } from '../src/risk/tail/methods.ts';
import { rollingHistoricalRisk } from '../src/risk/tail/rolling-risk.ts';
import { fitGarch } from '../src/risk/volatility/garch/fit.ts';
import { megabytes, print, processorMilliseconds } from './measure.ts';

/**
 * `npm run bench -- risk [NAME]`: the risk engine in processor time, each kernel (or those with NAME in theirs) over up to four sizes.
 * Returns are simulated: t with 5 degrees of freedom and a volatility of their own. The baseline is a logarithm of each number of the
 * input, in the same run; `growth` is how much more a size costs than the first, over how much more there is of it: 1 is linear. Both are
 * of medians.
 */
interface Kernel {
  readonly name: string;
  readonly sizes: readonly number[];
  /** Makes the input of a size once; what it gives is what is timed. */
  readonly prepare: (size: number) => () => unknown;
  readonly rounds: number;
}

const WINDOW = 2000;
const LONG = [6250, 12_500, 25_000, 50_000] as const;

const kernels: readonly Kernel[] = [
  {
    name: 'rolling VaR and ES, window 2,000, 99 %',
    sizes: LONG,
    rounds: 9,
    prepare: (size) => {
      const returns = simulated(size);
      return () => rollingHistoricalRisk(returns, WINDOW, 0.99);
    },
  },
  {
    name: 'rolling VaR and ES, window 2,000, 95 %',
    sizes: LONG,
    rounds: 9,
    prepare: (size) => {
      const returns = simulated(size);
      return () => rollingHistoricalRisk(returns, WINDOW, 0.95);
    },
  },
  {
    name: 'the same by sorting every window',
    sizes: [2200, 2400, 2800],
    rounds: 3,
    prepare: (size) => {
      const returns = simulated(size);
      return () => {
        for (let end = WINDOW; end <= size; end++) returns.slice(end - WINDOW, end).sort();
      };
    },
  },
  ...(['garch', 'gjr', 'egarch'] as const).map(
    (model): Kernel => ({
      name: `${model} with t errors, fitted`,
      sizes: [1000, 2000, 4000, 8000],
      rounds: model === 'egarch' ? 3 : 9,
      prepare: (size) => {
        const returns = simulated(size);
        return () => fitGarch(returns, { model });
      },
    }),
  ),
  {
    name: 'coverage report without simulations',
    sizes: LONG,
    rounds: 31,
    prepare: (size) => {
      const forecasts = judged(size);
      return () => coverageReport(forecasts, { simulations: 0 });
    },
  },
  {
    name: 'coverage report with 2,000 simulations',
    sizes: LONG,
    rounds: 3,
    prepare: (size) => {
      const forecasts = judged(size);
      return () => coverageReport(forecasts);
    },
  },
  {
    name: 'filtered, with interval of 500 resamples',
    sizes: [1000, 2000, 4000, 8000],
    rounds: 3,
    prepare: (size) => {
      const sample = lossesOfReturns(simulated(size), 'long', 1, 'terminal');
      return () => estimateRisk('filtered', sample, 0.99);
    },
  },
  {
    name: 'extreme value, without interval',
    sizes: [1000, 2000, 4000, 8000],
    rounds: 5,
    prepare: (size) => {
      const sample = lossesOfReturns(simulated(size), 'long', 1, 'terminal');
      return () => estimateRisk('evt', sample, 0.99, { bootstrap: null });
    },
  },
  {
    name: 'model confidence set, 8 models, 1,000 resamples',
    sizes: LONG,
    rounds: 3,
    prepare: (size) => {
      const losses = Array.from({ length: 8 }, (_, i) => simulated(size, i).map((x) => x * x));
      return () => modelConfidenceSet(losses, { replications: 1000, blockLength: 20 });
    },
  },
  {
    name: 'Murphy diagram, 200 thresholds',
    sizes: LONG,
    rounds: 5,
    prepare: (size) => {
      const { loss, valueAtRisk } = judged(size);
      const thresholds = murphyThresholds([loss, valueAtRisk], 200);
      return () => valueAtRiskMurphy(loss, valueAtRisk, 0.99, thresholds);
    },
  },
  {
    name: 'Kolmogorov–Smirnov',
    sizes: LONG,
    rounds: 5,
    prepare: (size) => {
      const [a, b] = [simulated(size, 1), simulated(size, 2)];
      return () => kolmogorovSmirnov(a, b);
    },
  },
  {
    name: 'quantile tracking and an e-process, a step each',
    sizes: LONG,
    rounds: 5,
    prepare: (size) => {
      const { loss, valueAtRisk, expectedShortfall } = judged(size);
      return () => {
        const tracking = quantileTracking({ confidence: 0.99 });
        const alarm = eProcess({ statistic: 'value-at-risk', confidence: 0.99, falseAlarms: 0.01 });
        let state = tracking.initial();
        let evidence = alarm.initial();
        for (let t = 0; t < size; t++) {
          const forecast = { valueAtRisk: valueAtRisk[t], expectedShortfall: expectedShortfall[t] };
          const adjusted = tracking.adjusted(state, forecast.valueAtRisk, forecast.expectedShortfall);
          evidence = alarm.observe(evidence, loss[t], adjusted);
          state = tracking.observe(state, loss[t], forecast);
        }
        return evidence;
      };
    },
  },
  {
    name: 'portfolio of 50 markets with all parts',
    sizes: [1000, 2000, 4000, 8000],
    rounds: 5,
    prepare: (size) => {
      const markets = Array.from({ length: 50 }, (_, i) => `MARKET${i}`);
      const scenarios = givenScenarios(
        markets,
        markets.map((_, i) => simulated(size, i)),
      );
      const positions = markets.map((market, i) => ({ market, notional: i % 3 === 0 ? -1000 : 2000 }));
      return () => portfolioRisk(scenarios, positions, { confidence: 0.99, measure: 'terminal' });
    },
  },
];

const [, , , only = ''] = process.argv;
const rows: string[][] = [];
for (const { name, sizes, rounds, prepare } of kernels.filter((kernel) => kernel.name.includes(only))) {
  let first = 0;
  for (const size of sizes) {
    const work = prepare(size);
    const { median, least } = processorMilliseconds(work, rounds);
    const numbers = simulated(size);
    const baseline = processorMilliseconds(() => logarithms(numbers), 9).median;
    if (size === sizes[0]) first = median;
    const growth = size === sizes[0] ? '' : (median / first / (size / sizes[0])).toFixed(2);
    rows.push([
      name,
      String(size),
      median.toFixed(2),
      least.toFixed(2),
      (median / baseline).toFixed(0),
      growth,
    ]);
  }
}
print(table(['kernel', 'size', 'cpu ms', 'least', 'over a logarithm each', 'growth'], rows));
print(`memory ${megabytes(process.memoryUsage.rss())}`);

function logarithms(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.log(1 + values[i]);
  return sum;
}

function simulated(size: number, seed = 1): Float64Array {
  const random = Random.stream(seed, 'bench-risk');
  let variance = 1e-4;
  return Float64Array.from({ length: size }, () => {
    const value = Math.sqrt(variance) * random.studentT(5);
    variance = 2e-6 + 0.08 * value * value + 0.9 * variance;
    return Math.max(value, -0.9);
  });
}

/** Honest forecasts of exponential losses, so that no test is degenerate. */
function judged(size: number) {
  const random = Random.stream(2, 'bench-judged');
  const valueAtRisk = Float64Array.from({ length: size }, () => 0.03 + 0.02 * random.uniform());
  return {
    loss: valueAtRisk.map((value) => (value / Math.log(100)) * random.exponential()),
    valueAtRisk,
    expectedShortfall: valueAtRisk.map((value) => value * (1 + 1 / Math.log(100))),
    confidence: 0.99,
  };
}
