import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { garchForecasts, goldenForecasts, inUnit } from './judged-forecasts.fixture.ts';
import { shortfallIntercept, shortfallRegression } from './shortfall-regression.ts';
import type { JudgedForecasts } from './shortfall-tests.ts';

function regressed(...input: Parameters<typeof shortfallRegression>) {
  const outcome = shortfallRegression(...input);
  if (!outcome.available) throw new Error(outcome.reason);
  return outcome;
}

function intercepted(...input: Parameters<typeof shortfallIntercept>) {
  const outcome = shortfallIntercept(...input);
  if (!outcome.available) throw new Error(outcome.reason);
  return outcome;
}

describe('equal to NumPy 2.4 and SciPy 1.17 (linear programming, Newton, matrices written out)', () => {
  const strict = [0.004347106687867988, 0.8764145710324553];
  const auxiliary = [0.0044086500514768645, 0.8834031962669101];

  test.each([
    [
      'strict',
      undefined,
      strict,
      0.5576038627218527,
      0.7566897648850407,
      [0.00586820365702435, 0.18452291077534644],
    ],
    [
      'strict',
      0,
      strict,
      1.8720730756195278,
      0.39217914626468037,
      [0.003212335377856125, 0.10105389114754763],
    ],
    [
      'strict',
      4,
      strict,
      1.8791374536940326,
      0.39079633898965377,
      [0.0032014369736649835, 0.1007612073736452],
    ],
    [
      'auxiliary',
      undefined,
      auxiliary,
      0.5089580489307475,
      0.7753203156783388,
      [0.006789081600048228, 0.2202894283747247],
    ],
    [
      'auxiliary',
      0,
      auxiliary,
      1.3989728438457565,
      0.49684040461834655,
      [0.0037627737790068686, 0.12680798822326364],
    ],
    [
      'auxiliary',
      4,
      auxiliary,
      1.4119718555787453,
      0.493621658952922,
      [0.003751214799922686, 0.12606309673228167],
    ],
  ] as const)('the %s version, lags %s', (version, lags, coefficients, statistic, pValue, errors) => {
    const outcome = regressed(goldenForecasts(), lags === undefined ? { version } : { version, lags });
    expect(outcome.intercept / coefficients[0]).toBeCloseTo(1, 8);
    expect(outcome.slope / coefficients[1]).toBeCloseTo(1, 8);
    expect(outcome.statistic / statistic).toBeCloseTo(1, 8);
    expect(outcome.pValue / pValue).toBeCloseTo(1, 8);
    expect(outcome.interceptError / errors[0]).toBeCloseTo(1, 8);
    expect(outcome.slopeError / errors[1]).toBeCloseTo(1, 8);
    expect(outcome.covariance).toBe(lags === undefined ? 'scale' : 'moments');
  });

  test.each([
    [undefined, -0.03124016505651255, 0.9750780084513352, 0.5124609957743324, 0.0022124003957403253],
    [0, -0.03350055314944769, 0.9732754247313473, 0.5133622876343263, 0.00206312275578533],
    [4, -0.03424952505222362, 0.9726781744037575, 0.5136609127981212, 0.002018006189243029],
  ])('the intercept version, lags %s', (lags, statistic, twoSided, oneSided, standardError) => {
    const outcome = intercepted(goldenForecasts(), lags === undefined ? {} : { lags });
    expect(outcome.intercept / -6.911575353402144e-5).toBeCloseTo(1, 8);
    expect(outcome.statistic / statistic).toBeCloseTo(1, 8);
    expect(outcome.pValue / twoSided).toBeCloseTo(1, 9);
    expect(outcome.pValueUnderstated / oneSided).toBeCloseTo(1, 9);
    expect(outcome.standardError / standardError).toBeCloseTo(1, 9);
  });
});

/** Shares of series that are rejected at 5 %. */
function shares(rounds: number, n: number, confidence: number, factor: number, lags?: number) {
  const count = { strict: 0, auxiliary: 0, intercept: 0, understated: 0 };
  const options = lags === undefined ? {} : { lags };
  for (let seed = 1; seed <= rounds; seed++) {
    const forecasts = garchForecasts(n, confidence, seed, factor);
    // A VaR that is not just the same line.
    const valueAtRisk = forecasts.valueAtRisk.map((value, t) => value * (1 + 0.1 * Math.sin(t)));
    if (regressed(forecasts, options).pValue < 0.05) count.strict++;
    if (regressed({ ...forecasts, valueAtRisk }, { version: 'auxiliary', ...options }).pValue < 0.05)
      count.auxiliary++;
    const intercept = intercepted(forecasts, options);
    if (intercept.pValue < 0.05) count.intercept++;
    if (intercept.pValueUnderstated < 0.05) count.understated++;
  }
  return Object.fromEntries(Object.entries(count).map(([name, value]) => [name, value / rounds]));
}

describe('forecasts', () => {
  test('that are honest are rejected at 5 % in about 5 % of series', () => {
    const { strict, auxiliary, intercept, understated } = shares(160, 2500, 0.95, 1);
    for (const share of [strict, auxiliary, intercept]) {
      expect(share).toBeGreaterThan(0.015);
      expect(share).toBeLessThan(0.095);
    }
    expect(understated).toBeLessThan(0.06);
  });

  test('that are honest are rejected more often by the covariance from the moments, as documented', () => {
    const { strict } = shares(80, 2500, 0.975, 1, 0);
    expect(strict).toBeGreaterThan(0.09);
  });

  test('that understate risk by a fifth are rejected, those that overstate it never on that side', () => {
    const { strict, auxiliary, intercept, understated } = shares(50, 2500, 0.95, 0.8);
    for (const share of [strict, auxiliary, intercept, understated]) expect(share).toBeGreaterThan(0.9);
    expect(shares(30, 2500, 0.95, 1.25).understated).toBe(0);
  });

  test('whose scale does not move with the market are found by the slope', () => {
    const rejected = Array.from({ length: 20 }, (_, seed) => {
      const forecasts = garchForecasts(2500, 0.95, seed + 1, 1);
      const random = Random.stream(seed, 'noise');
      const expectedShortfall = forecasts.expectedShortfall.map(() => 0.026 * (1 + 0.2 * random.uniform()));
      return regressed({ ...forecasts, expectedShortfall }).pValue < 0.05;
    });
    expect(rejected.filter(Boolean).length).toBeGreaterThan(16);
  });
});

describe('laws and bad input', () => {
  test('the unit of the losses does not matter', () => {
    for (const unit of [1e-4, 3, 1e5]) {
      const forecasts = goldenForecasts();
      const [a, b] = [regressed(forecasts), regressed(inUnit(forecasts, unit))];
      expect(b.statistic / a.statistic).toBeCloseTo(1, 7);
      expect(b.slope / a.slope).toBeCloseTo(1, 8);
      expect(b.intercept / unit / a.intercept).toBeCloseTo(1, 7);
      const [c, d] = [intercepted(forecasts), intercepted(inUnit(forecasts, unit))];
      expect(d.pValueUnderstated / c.pValueUnderstated).toBeCloseTo(1, 8);
    }
  });

  test('what is added to losses and forecasts alike does not matter', () => {
    const forecasts = goldenForecasts();
    const moved = {
      loss: forecasts.loss.map((value) => value + 0.02),
      valueAtRisk: forecasts.valueAtRisk.map((value) => value + 0.02),
      expectedShortfall: forecasts.expectedShortfall.map((value) => value + 0.02),
      confidence: forecasts.confidence,
    };
    expect(regressed(moved).statistic / regressed(forecasts).statistic).toBeCloseTo(1, 7);
    expect(intercepted(moved).intercept).toBeCloseTo(intercepted(forecasts).intercept, 10);
  });

  test('forecasts that do not move, losses that do not and too few of them are not judged', () => {
    const forecasts = goldenForecasts();
    const still = forecasts.loss.map(() => 0.03);
    const cases: [JudgedForecasts, string][] = [
      [{ ...forecasts, expectedShortfall: still }, 'do not move'],
      [{ ...forecasts, loss: still.map(() => 0) }, 'do not move'],
      [{ ...forecasts, confidence: 0.99 }, '2000 are needed'],
    ];
    for (const [input, reason] of cases) {
      const expected = { available: false, reason: expect.stringContaining(reason) };
      expect(shortfallRegression(input)).toMatchObject(expected);
      expect(shortfallIntercept(input)).toMatchObject(reason === '2000 are needed' ? expected : {});
    }
    expect(shortfallRegression({ ...forecasts, valueAtRisk: still }, { version: 'auxiliary' })).toMatchObject(
      {
        available: false,
      },
    );
  });

  test.each([
    ['a confidence of 99', { confidence: 99 }],
    ['a loss that is none', { loss: goldenForecasts().loss.fill(Number.NaN, 7, 8) }],
    ['fewer forecasts than losses', { expectedShortfall: new Float64Array(3) }],
  ])('%s is refused with a remedy', (_, change) => {
    for (const judge of [shortfallRegression, shortfallIntercept]) {
      expect(() => judge({ ...goldenForecasts(), ...change })).toThrow(
        expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }),
      );
      expect(() => judge(goldenForecasts(), { lags: 0.5 })).toThrow(
        expect.objectContaining({ code: 'INPUT_INVALID' }),
      );
    }
  });
});
