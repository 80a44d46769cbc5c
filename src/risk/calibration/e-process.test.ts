import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bet, type EProcessOptions, type EProcessState, eProcess, eValue } from './e-process.ts';
import { goldenSeries } from './test-streams.ts';

const golden = goldenSeries();

function run(options: EProcessOptions): EProcessState {
  const process = eProcess(options);
  let state = process.initial();
  for (let t = 0; t < golden.loss.length; t++)
    state = process.observe(state, golden.loss[t], {
      valueAtRisk: golden.valueAtRisk[t],
      expectedShortfall: golden.expectedShortfall[t],
    });
  return state;
}

describe('the evidence equals plain products in NumPy', () => {
  const never = 1e-300;
  test.each([
    ['value-at-risk', { kind: 'mixture' }, 0.95, 28.62366276492822],
    ['expected-shortfall', { kind: 'mixture' }, 0.95, 56.836703664881085],
    ['overstated', { kind: 'mixture' }, 0.8, 7.35480050988314],
    ['value-at-risk', { kind: 'gree' }, 0.95, 28.359834062530695],
    ['expected-shortfall', { kind: 'gree' }, 0.95, 18.244824346254045],
    ['overstated', { kind: 'gree' }, 0.8, 7.876129561975157],
    ['value-at-risk', { kind: 'grel', window: 100 }, 0.95, 31.49857424359489],
    ['expected-shortfall', { kind: 'grel', window: 100 }, 0.95, 22.170088135561027],
  ] as const)('%s, %o', (statistic, bet, confidence, expected) => {
    const { logEvidence, alarms } = run({ statistic, bet, confidence, falseAlarms: never });
    expect(logEvidence).toBeCloseTo(expected, 8);
    expect(alarms).toBe(0);
  });

  test.each([
    ['sum', 0.001, 8, 568, 4.768685558758233],
    ['maximum', 0.02, 9, 569, 2.584071196350045],
  ] as const)(
    'of the detector by %s, which starts anew after each alarm',
    (form, falseAlarms, alarms, last, log) => {
      const state = run({ statistic: 'value-at-risk', confidence: 0.95, falseAlarms, form });
      expect(state).toMatchObject({ alarms, lastAlarm: last, isAlarmed: false });
      expect(state.logEvidence).toBeCloseTo(log, 8);
    },
  );
});

describe('an e-value has a mean of at most 1', () => {
  /** A law on a few losses, with its exact VaR and ES = VaR + E(loss − VaR)⁺ / α. */
  const laws = fc
    .array(fc.tuple(fc.double({ min: -2, max: 20, noNaN: true }), fc.integer({ min: 1, max: 50 })), {
      minLength: 2,
      maxLength: 12,
    })
    .map((rows) => {
      const total = rows.reduce((sum, [, weight]) => sum + weight, 0);
      return rows
        .map(([loss, weight]) => ({ loss, probability: weight / total }))
        .toSorted((a, b) => a.loss - b.loss);
    });

  test('under any law, with its true VaR and ES or higher ones', () => {
    fc.assert(
      fc.property(
        laws,
        fc.constantFrom(0.5, 0.9, 0.99),
        fc.double({ min: 0, max: 3, noNaN: true }),
        (law, confidence, excess) => {
          const alpha = 1 - confidence;
          let below = 0;
          let rank = 0;
          while (below + law[rank].probability < confidence - 1e-12) below += law[rank++].probability;
          const valueAtRisk = law[rank].loss;
          const beyond = law.reduce(
            (sum, { loss, probability }) => sum + Math.max(loss - valueAtRisk, 0) * probability,
            0,
          );
          const expectedShortfall = valueAtRisk + beyond / alpha + excess;
          const mean = (statistic: 'value-at-risk' | 'expected-shortfall'): number =>
            law.reduce(
              (sum, { loss, probability }) =>
                sum + probability * eValue(statistic, loss, { valueAtRisk, expectedShortfall }, confidence),
              0,
            );
          expect(mean('value-at-risk')).toBeLessThanOrEqual(1 + 1e-9);
          if (beyond > 0) expect(mean('expected-shortfall')).toBeLessThanOrEqual(1 + 1e-6);
          const hitRate = law.reduce(
            (sum, { loss, probability }) => sum + (loss > valueAtRisk ? probability : 0),
            0,
          );
          const missed = { valueAtRisk, expectedShortfall };
          const overstated = law.reduce(
            (sum, { loss, probability }) =>
              sum + probability * eValue('overstated', loss, missed, confidence),
            0,
          );
          expect(overstated).toBeCloseTo((1 - hitRate) / confidence, 9);
        },
      ),
      { seed: 11, numRuns: 500 },
    );
  });

  const bets: readonly Bet[] = [{ kind: 'mixture' }, { kind: 'gree' }, { kind: 'grel', window: 6 }];
  /** Mean over all 2¹² paths of hits with their probabilities: no chance in it. */
  function exactMean(options: EProcessOptions, hitProbability: number, steps = 12): number {
    const process = eProcess(options);
    const forecast = { valueAtRisk: 1, expectedShortfall: 2 };
    const mean = (state: EProcessState, probability: number, left: number): number =>
      left === 0
        ? probability * Math.exp(state.logEvidence)
        : mean(process.observe(state, 2, forecast), probability * hitProbability, left - 1) +
          mean(process.observe(state, 0.5, forecast), probability * (1 - hitProbability), left - 1);
    return mean(process.initial(), 1, steps);
  }

  test.each(bets)('and so have the products, exactly 1 at the stated rate: %o', (bet) => {
    for (const statistic of ['value-at-risk', 'expected-shortfall', 'overstated'] as const) {
      const options = { statistic, confidence: 0.8, falseAlarms: 1e-30, bet };
      expect(exactMean(options, 0.2)).toBeCloseTo(1, 10);
      expect(exactMean(options, statistic === 'overstated' ? 0.3 : 0.1)).toBeLessThanOrEqual(1 + 1e-10);
    }
  });

  test.each(bets)('the sums have that of the steps, and the maxima no more: %o', (bet) => {
    for (const statistic of ['value-at-risk', 'expected-shortfall', 'overstated'] as const) {
      const options = { statistic, confidence: 0.8, falseAlarms: 1e-30, bet };
      expect(exactMean({ ...options, form: 'sum' }, 0.2)).toBeCloseTo(12, 8);
      expect(exactMean({ ...options, form: 'maximum' }, 0.2)).toBeLessThanOrEqual(12);
    }
  });
});

describe('an alarm', () => {
  test('a product stays alarmed, a detector starts anew', () => {
    const forecast = { valueAtRisk: 1, expectedShortfall: 2 };
    for (const form of ['product', 'sum', 'maximum'] as const) {
      const process = eProcess({ statistic: 'value-at-risk', confidence: 0.95, falseAlarms: 0.01, form });
      let state = process.initial();
      while (state.alarms === 0) state = process.observe(state, 2, forecast);
      expect(state).toMatchObject({ isAlarmed: true, lastAlarm: state.steps });
      for (let t = 0; t < 5; t++) state = process.observe(state, 0, forecast);
      expect(state.isAlarmed).toBe(form === 'product');
      expect(state.alarms).toBe(1);
    }
  });
});

describe('numbers', () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });

  test('stay finite and survive JSON to the bit, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(number, number, number), { minLength: 1, maxLength: 30 }),
        fc.constantFrom('value-at-risk', 'expected-shortfall', 'overstated'),
        fc.constantFrom<Bet>({ kind: 'mixture' }, { kind: 'gree' }, { kind: 'grel', window: 3 }),
        fc.constantFrom('product', 'sum', 'maximum'),
        (rows, statistic, bet, form) => {
          const process = eProcess({
            statistic,
            bet,
            form,
            confidence: 0.99,
            falseAlarms: 0.01,
          } as EProcessOptions);
          let state = process.initial();
          for (const [loss, a, b] of rows) {
            const forecast = { valueAtRisk: Math.min(a, b), expectedShortfall: Math.max(a, b) };
            const next = process.observe(state, loss, forecast);
            expect(process.observe(JSON.parse(JSON.stringify(state)), loss, forecast)).toStrictEqual(next);
            state = next;
            expect([state.logEvidence, ...state.carried].every(Number.isFinite)).toBe(true);
            expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
            expect(state.pastLosses.length).toBeLessThanOrEqual(3);
          }
        },
      ),
      { seed: 12, numRuns: 300 },
    );
  });

  test('a loss beyond a VaR that equals its ES is strong evidence, not an infinite one', () => {
    const forecast = { valueAtRisk: 1, expectedShortfall: 1 };
    expect(eValue('expected-shortfall', 2, forecast, 0.99)).toBe(1e9);
    expect(eValue('expected-shortfall', 1, forecast, 0.99)).toBe(0);
  });

  test.each([
    ['a confidence of 99', { confidence: 99 }],
    ['no false alarms at all', { falseAlarms: 0 }],
    ['false alarms for certain', { falseAlarms: 1 }],
    ['a stake of everything', { bet: { kind: 'mixture', shares: [1] } }],
    ['no stake', { bet: { kind: 'mixture', shares: [] } }],
    ['a largest stake of 1', { bet: { kind: 'gree', largest: 1 } }],
    ['a window of no losses', { bet: { kind: 'grel', window: 0 } }],
  ] as const)('%s is refused with a remedy', (_, change) => {
    expect(() =>
      eProcess({ statistic: 'value-at-risk', confidence: 0.99, falseAlarms: 0.01, ...change }),
    ).toThrow(expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }));
  });

  test('neither a loss nor a forecast that is no number is evidence', () => {
    const process = eProcess({ statistic: 'value-at-risk', confidence: 0.95, falseAlarms: 0.01 });
    const refusal = expect.objectContaining({ code: 'INPUT_INVALID' });
    const forecast = { valueAtRisk: 1, expectedShortfall: 2 };
    expect(() => process.observe(process.initial(), Number.NaN, forecast)).toThrow(refusal);
    expect(() => process.observe(process.initial(), 1, { ...forecast, valueAtRisk: Number.NaN })).toThrow(
      refusal,
    );
  });
});
