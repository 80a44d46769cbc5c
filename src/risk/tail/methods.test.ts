import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tailMean } from '../numeric/quantile.ts';
import { asymmetricReturns, parkMiller } from '../park-miller.fixture.ts';
import type { RiskOptions } from './estimates.ts';
import { type LossTarget, lossesOfReturns, type Side } from './loss-sample.ts';
import { RISK_METHODS, type RiskMethod } from './method-names.ts';
import { estimateRisk, type RiskEstimate } from './methods.ts';

const returns = asymmetricReturns();
const daily = lossesOfReturns(returns, 'long', 1, 'terminal');
const alone: Partial<RiskOptions> = { bootstrap: null };

function answered(outcome: ReturnType<typeof estimateRisk>): RiskEstimate {
  if (!outcome.available) throw new Error(outcome.reason);
  return outcome;
}

/** VaR and its profile interval, which must be in one unit. */
function profileOf(outcome: ReturnType<typeof estimateRisk>): {
  valueAtRisk: number;
  low: number;
  high: number;
} {
  const { valueAtRisk, parameters } = answered(outcome);
  return { valueAtRisk, low: Number(parameters.profileLow), high: Number(parameters.profileHigh) };
}

describe('VaR and ES at 99 % of 2,000 heavy-tailed returns', () => {
  type Case = readonly [string, RiskMethod, Partial<RiskOptions>, number, number, number];
  /** With the source and how near it must be met. */
  const cases: readonly Case[] = [
    [
      'NumPy, type 7 and the exact tail mean',
      'historical',
      {},
      0.024966310102267845,
      0.03593957427696946,
      1e-12,
    ],
    ['NumPy', 'age-weighted', { ageDecay: 0.995 }, 0.03979338737444456, 0.062116704998585466, 1e-11],
    ['SciPy', 'ewma', {}, 0.056286421581154496, 0.06448535616038245, 1e-11],
    ['NumPy', 'filtered', {}, 0.06855920217117568, 0.09046765222744416, 1e-11],
    ['NumPy, half scaling', 'filtered', { exponent: 0.5 }, 0.04039410454329673, 0.055400385335419355, 1e-11],
    ['arch 8.0', 'garch', {}, 0.04337487951958888, 0.05720718278666042, 1e-5],
    ['arch 8.0', 'garch', { distribution: 'normal' }, 0.03796602805291407, 0.043594157522624584, 1e-5],
    ['arch 8.0', 'gjr-garch', {}, 0.038483167304863425, 0.05046992292280379, 1e-5],
    ['arch 8.0', 'gjr-garch', { distribution: 'normal' }, 0.03333156301852063, 0.038266364430578466, 1e-5],
    ['SciPy, genpareto', 'evt', {}, 0.025591083972724846, 0.035436595100235224, 1e-6],
    ['SciPy, by quadrature', 'cornish-fisher', {}, 0.03452083065606864, 0.04968641823752968, 1e-11],
  ];

  test.each(cases)('%s: %s %j', (_, method, options, valueAtRisk, expectedShortfall, relative) => {
    const risk = answered(estimateRisk(method, daily, 0.99, { ...alone, ...options }));
    expect(Math.abs(risk.valueAtRisk / valueAtRisk - 1)).toBeLessThan(relative);
    expect(Math.abs(risk.expectedShortfall / expectedShortfall - 1)).toBeLessThan(relative);
  });

  test('of a short are those of the other tail', () => {
    const short = lossesOfReturns(returns, 'short', 1, 'terminal');
    expect(answered(estimateRisk('garch', short, 0.99, alone)).valueAtRisk).toBeCloseTo(
      0.044683914606752015,
      6,
    );
    expect(answered(estimateRisk('gjr-garch', short, 0.99, alone)).valueAtRisk).toBeCloseTo(
      0.03961297329460069,
      6,
    );
  });

  test('CAViaR is as good as differential evolution and a simplex of SciPy find it', () => {
    const symmetric = answered(estimateRisk('caviar', daily, 0.99, alone));
    expect(symmetric.parameters.pinball as number).toBeLessThan(0.00034133419156570833 * (1 + 1e-6));
    expect(symmetric.valueAtRisk / 0.04527583515967985).toBeCloseTo(1, 3);
    const { b1, b2, b3 } = symmetric.parameters as Record<string, number>;
    expect(
      [b1 / 0.00275639, b2 / 0.75592291, b3 / 0.48740938].every((ratio) => Math.abs(ratio - 1) < 1e-3),
    ).toBe(true);
    const asymmetric = answered(estimateRisk('caviar-asymmetric', daily, 0.99, alone));
    expect(asymmetric.parameters.pinball as number).toBeLessThan(0.0003389434436355991 * (1 + 1e-6));
    expect(asymmetric.valueAtRisk / 0.05064698447553606).toBeCloseTo(1, 2);
  });

  test('parameters are told', () => {
    const evt = answered(estimateRisk('evt', daily, 0.99, alone)).parameters as Record<string, number>;
    expect(evt.threshold).toBeCloseTo(0.01063310053166453, 14);
    expect(evt.exceedances).toBe(200);
    expect(evt.shape).toBeCloseTo(0.18752201, 6);
    expect(evt.scale).toBeCloseTo(0.00519431, 8);
    const profile = profileOf(estimateRisk('evt', daily, 0.99, { ...alone, isConditional: true }));
    expect(profile.low).toBeLessThan(profile.valueAtRisk);
    expect(profile.high).toBeGreaterThan(profile.valueAtRisk);
    const garch = answered(estimateRisk('garch', daily, 0.99, alone)).parameters as Record<string, number>;
    expect(garch.nu).toBeCloseTo(5.18566, 3);
    expect(garch.logLikelihood).toBeCloseTo(6541.81711, 4);
  });

  test('the filter may be a fitted one, the threshold may choose itself, and the tail may be filtered', () => {
    const byGarch = answered(estimateRisk('filtered', daily, 0.99, { ...alone, filter: 'gjr-garch' }));
    expect(byGarch.parameters).toMatchObject({ filter: 'gjr-garch', gamma: expect.any(Number) });
    const garch = answered(estimateRisk('gjr-garch', daily, 0.99, alone)).valueAtRisk;
    expect(byGarch.valueAtRisk / garch).toBeGreaterThan(0.85);
    expect(byGarch.valueAtRisk / garch).toBeLessThan(1.15);
    const settled = answered(estimateRisk('evt', daily, 0.99, { ...alone, tailShare: 'automatic' }));
    expect(settled.valueAtRisk / 0.0255911).toBeCloseTo(1, 1);
    const conditional = answered(
      estimateRisk('evt', daily, 0.99, { ...alone, isConditional: true, filter: 'garch' }),
    );
    expect(conditional.valueAtRisk / 0.0434).toBeCloseTo(1, 0);
    const estimated = answered(estimateRisk('ewma', daily, 0.99, { ...alone, decay: 'estimate' }));
    expect(estimated.parameters.decay as number).toBeCloseTo(0.96274, 4);
  });
});

describe('every method', () => {
  const sides: readonly Side[] = ['long', 'short'];
  const shapes: readonly (readonly [number, LossTarget])[] = [
    [1, 'terminal'],
    [1, 'excursion'],
    [8, 'terminal'],
    [8, 'excursion'],
  ];
  const quick: Partial<RiskOptions> = { bootstrap: null, simulations: 4000 };

  test.each(RISK_METHODS)(
    '%s answers or says why, for both sides, ends and paths, with ES at least VaR',
    (method) => {
      let answers = 0;
      for (const side of sides) {
        for (const [horizon, target] of shapes) {
          const sample = lossesOfReturns(returns, side, horizon, target);
          const outcome = estimateRisk(method, sample, 0.99, quick);
          if (!outcome.available) {
            expect(outcome.reason.length).toBeGreaterThan(10);
            continue;
          }
          answers++;
          expect(outcome.expectedShortfall).toBeGreaterThanOrEqual(outcome.valueAtRisk);
          expect(outcome.valueAtRisk).toBeGreaterThan(0);
          expect(outcome.effectiveCount).toBeCloseTo(sample.losses.length / horizon, 9);
        }
      }
      expect(answers).toBeGreaterThanOrEqual(method === 'cornish-fisher' ? 2 : 8);
    },
  );

  test.each(RISK_METHODS)('%s: VaR rises with confidence', (method) => {
    const at = (confidence: number): number => {
      const risk = estimateRisk(method, daily, confidence, quick);
      return risk.available ? risk.valueAtRisk : Number.NaN;
    };
    const values = [0.95, 0.975, 0.99, 0.995].map(at);
    expect(values.every(Number.isFinite)).toBe(true);
    // Each quantile regression is a fit of its own; the others are quantiles of one distribution.
    if (!method.startsWith('caviar')) expect(values).toEqual([...values].sort((a, b) => a - b));
  });

  test.each(RISK_METHODS)('%s: losses half as large have half the VaR and ES', (method) => {
    const half = lossesOfReturns(
      returns.map((value) => 0.5 * value),
      'long',
      1,
      'terminal',
    );
    const [a, b] = [
      answered(estimateRisk(method, daily, 0.99, quick)),
      answered(estimateRisk(method, half, 0.99, quick)),
    ];
    expect(Math.abs((2 * b.valueAtRisk) / a.valueAtRisk - 1)).toBeLessThan(1e-3);
    expect(Math.abs((2 * b.expectedShortfall) / a.expectedShortfall - 1)).toBeLessThan(1e-3);
  });

  test.each(RISK_METHODS)('%s is the same twice, interval and all', (method) => {
    const options = { bootstrap: { replications: 12, level: 0.9 }, simulations: 500 };
    const sample = lossesOfReturns(returns.subarray(0, 600), 'short', 2, 'terminal');
    expect(estimateRisk(method, sample, 0.95, options)).toEqual(estimateRisk(method, sample, 0.95, options));
  });

  test.each(RISK_METHODS)(
    '%s: an interval of 95 % has the estimate within, and is narrower at 50 %',
    (method) => {
      const bootstrap = (level: number): Partial<RiskOptions> => ({ bootstrap: { replications: 60, level } });
      const recent = lossesOfReturns(returns.subarray(0, 1000), 'long', 1, 'terminal');
      const { valueAtRisk, interval: wide } = answered(estimateRisk(method, recent, 0.975, bootstrap(0.95)));
      const { interval: narrow } = answered(estimateRisk(method, recent, 0.975, bootstrap(0.5)));
      if (!wide.available || !narrow.available) throw new Error('no interval');
      expect(wide.low).toBeLessThanOrEqual(valueAtRisk);
      expect(wide.high).toBeGreaterThanOrEqual(valueAtRisk);
      expect(narrow.high - narrow.low).toBeLessThan(wide.high - wide.low);
    },
  );

  test('an excursion is worse than the terminal loss, and about twice as likely for a diffusion', () => {
    const terminal = lossesOfReturns(returns, 'long', 8, 'terminal');
    const path = lossesOfReturns(returns, 'long', 8, 'excursion');
    for (const method of ['historical', 'filtered', 'garch', 'ewma', 'evt'] as const) {
      const of = (sample: typeof path): number =>
        answered(estimateRisk(method, sample, 0.99, quick)).valueAtRisk;
      expect(of(path)).toBeGreaterThan(of(terminal));
    }
  });

  test('simulated paths that see within their steps fall deeper', () => {
    const path = lossesOfReturns(returns, 'long', 4, 'excursion');
    const within = { ...path, seesWithinSteps: true };
    for (const distribution of ['normal', 't'] as const) {
      const [ends, all] = [path, within].map((sample) =>
        answered(estimateRisk('garch', sample, 0.95, { ...quick, distribution })),
      );
      expect(all.valueAtRisk).toBeGreaterThan(1.02 * ends.valueAtRisk);
      expect(all.valueAtRisk).toBeLessThan(1.6 * ends.valueAtRisk);
    }
    const one = { ...lossesOfReturns(returns, 'short', 1, 'excursion'), seesWithinSteps: true };
    const reflected = answered(estimateRisk('ewma', one, 0.95, quick)).valueAtRisk;
    const volatility = answered(estimateRisk('ewma', one, 0.95, quick)).parameters.nextVolatility as number;
    expect(reflected / volatility).toBeCloseTo(1.959963984540054, 9);
  });
});

describe('what cannot be answered', () => {
  test('losses that are all alike have no risk, and too few, broken or absurd ones are refused', () => {
    const flat = lossesOfReturns(new Float64Array(500), 'long', 1, 'terminal');
    for (const method of RISK_METHODS)
      expect(estimateRisk(method, flat, 0.99)).toMatchObject({ available: false });
    const codes = (act: () => unknown, code: string): void =>
      expect(act).toThrow(expect.objectContaining({ code, remedy: expect.any(String) }));
    codes(
      () => estimateRisk('historical', lossesOfReturns(returns.subarray(0, 10), 'long', 1, 'terminal'), 0.99),
      'DATA_INSUFFICIENT',
    );
    codes(() => lossesOfReturns(Float64Array.of(0.1, Number.NaN), 'long', 1, 'terminal'), 'INPUT_INVALID');
    codes(() => lossesOfReturns(Float64Array.of(0.1, -1), 'long', 2, 'terminal'), 'INPUT_INVALID');
    codes(() => lossesOfReturns(returns, 'long', 0, 'terminal'), 'INPUT_INVALID');
    codes(() => lossesOfReturns(returns.subarray(0, 3), 'long', 4, 'terminal'), 'DATA_INSUFFICIENT');
    for (const confidence of [0, 1, 99, Number.NaN])
      codes(() => estimateRisk('evt', daily, confidence), 'INPUT_INVALID');
    codes(() => estimateRisk('age-weighted', daily, 0.99, { ageDecay: 2 }), 'INPUT_INVALID');
    codes(() => estimateRisk('ewma', daily, 0.99, { decay: 1 }), 'INPUT_INVALID');
    codes(() => estimateRisk('filtered', daily, 0.99, { exponent: -1 }), 'INPUT_INVALID');
    codes(() => estimateRisk('evt', daily, 0.99, { tailShare: 0.9 }), 'INPUT_INVALID');
    const few = lossesOfReturns(returns.subarray(0, 60), 'long', 1, 'terminal');
    codes(() => estimateRisk('garch', few, 0.99, alone), 'DATA_INSUFFICIENT');
  });

  test('where the tail has no mean, the threshold lies too high or the expansion is no distribution, it is said', () => {
    const { uniform } = parkMiller(5);
    const gains = Float64Array.from({ length: 800 }, () => uniform() ** -2 - 1);
    const sample = lossesOfReturns(gains, 'short', 1, 'terminal');
    expect(estimateRisk('evt', sample, 0.99, alone)).toMatchObject({
      available: false,
      reason: expect.stringContaining('mean'),
    });
    expect(estimateRisk('evt', daily, 0.8, alone)).toMatchObject({
      available: false,
      reason: expect.stringContaining('threshold'),
    });
    const skewed = lossesOfReturns(returns, 'long', 8, 'excursion');
    expect(estimateRisk('cornish-fisher', skewed, 0.99)).toMatchObject({
      available: false,
      reason: expect.stringContaining('domain'),
    });
    const few = lossesOfReturns(returns.subarray(0, 50), 'long', 1, 'terminal');
    expect(estimateRisk('caviar', few, 0.99, alone)).toMatchObject({ available: false });
    expect(estimateRisk('evt', few, 0.99, alone)).toMatchObject({ available: false });
    const brief = lossesOfReturns(returns.subarray(0, 50), 'long', 24, 'terminal');
    expect(estimateRisk('historical', brief, 0.95)).toMatchObject({
      available: true,
      interval: { available: false },
    });
  });

  test.each([1e-302, 1e-61, 1e61, 1e300])(
    'nor for returns whose powers leave the range of a double: %d',
    (unit) => {
      const { uniform } = parkMiller(6);
      const values = Float64Array.from({ length: 300 }, () => unit * (uniform() - 0.5) * 2);
      const sample = lossesOfReturns(values, 'long', 1, 'terminal');
      for (const method of RISK_METHODS)
        expect(estimateRisk(method, sample, 0.99)).toMatchObject({
          available: false,
          reason: expect.stringContaining('double'),
        });
    },
  );

  test('whatever the returns, there is a finite answer or a reason', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -0.9, max: 2, noNaN: true }), { minLength: 20, maxLength: 160 }),
        fc.constantFrom(...RISK_METHODS),
        fc.double({ min: 0.5, max: 0.9999, noNaN: true }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom<LossTarget>('terminal', 'excursion'),
        (values, method, confidence, horizon, target) => {
          const sample = lossesOfReturns(Float64Array.from(values), 'long', horizon, target);
          if (sample.losses.length < 20) return;
          try {
            const risk = estimateRisk(method, sample, confidence, { bootstrap: null, simulations: 200 });
            if (risk.available) expect(Number.isFinite(risk.valueAtRisk + risk.expectedShortfall)).toBe(true);
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: 'DATA_INSUFFICIENT' });
          }
        },
      ),
      { seed: 8, numRuns: 150 },
    );
  });
});

describe('expected shortfall is coherent', () => {
  const pairs = fc
    .array(
      fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true })),
      {
        minLength: 5,
        maxLength: 80,
      },
    )
    .map((rows) => [Float64Array.from(rows, ([a]) => a), Float64Array.from(rows, ([, b]) => b)] as const);

  test('of a sum is at most the sum', () => {
    fc.assert(
      fc.property(pairs, fc.double({ min: 0.5, max: 0.99, noNaN: true }), ([a, b], confidence) => {
        const sum = a.map((value, i) => value + b[i]);
        return tailMean(sum, confidence) <= tailMean(a, confidence) + tailMean(b, confidence) + 1e-12;
      }),
      { seed: 9, numRuns: 300 },
    );
  });

  test('moves with a sure loss, and grows with a larger one', () => {
    fc.assert(
      fc.property(pairs, fc.double({ min: -5, max: 5, noNaN: true }), ([a, b], sure) => {
        expect(
          tailMean(
            a.map((value) => value + sure),
            0.9,
          ),
        ).toBeCloseTo(tailMean(a, 0.9) + sure, 10);
        expect(
          tailMean(
            a.map((value, i) => Math.max(value, b[i])),
            0.9,
          ),
        ).toBeGreaterThanOrEqual(tailMean(a, 0.9) - 1e-12);
      }),
      { seed: 10, numRuns: 200 },
    );
  });
});
