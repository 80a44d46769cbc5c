import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { type PooledObservation, type PooledState, pooledTracking } from './pooled.ts';
import { goldenSeries } from './test-streams.ts';

const forecast = { valueAtRisk: 1, expectedShortfall: 1.5 };

describe('pooled tracking', () => {
  test('equals the recursion in NumPy, with a market that is listed half way', () => {
    const { loss, valueAtRisk } = goldenSeries();
    const sizes = [1, 1.5, 0.7];
    const calibrator = pooledTracking({ confidence: 0.9, rate: 0.05, prior: 5 });
    let state = calibrator.initial();
    for (let t = 0; t < 597; t += 3) {
      const markets = t >= 300 ? ['A', 'B', 'C'] : ['A', 'B'];
      state = calibrator.observe(
        state,
        markets.map((market, j) => ({
          market,
          loss: loss[t + j] * sizes[j],
          forecast: { valueAtRisk: valueAtRisk[t + j], expectedShortfall: 1.25 * valueAtRisk[t + j] },
        })),
      );
    }
    expect(state.logMultiplier).toBeCloseTo(0.32166666666666616, 12);
    expect(state).toMatchObject({ observations: 497, exceedances: 58 });
    expect(state.members).toMatchObject({
      A: { logMultiplier: expect.closeTo(-0.045, 12), steps: 199 },
      B: { logMultiplier: expect.closeTo(0.755, 12), steps: 199 },
      C: { logMultiplier: expect.closeTo(-0.095, 12), steps: 99 },
    });
  });

  test('a market counts as much as its pool once it has seen as many expected exceedances as the prior', () => {
    const calibrator = pooledTracking({ confidence: 0.99, prior: 4 });
    let state = calibrator.initial();
    expect(calibrator.weight(state, 'NEW')).toBe(0);
    for (let t = 0; t < 400; t++) state = calibrator.observe(state, [{ market: 'NEW', loss: 0.1, forecast }]);
    expect(calibrator.weight(state, 'NEW')).toBeCloseTo(0.5, 12);
  });

  test('a market that is new is published at the multiplier that its pool has learnt', () => {
    const calibrator = pooledTracking({ confidence: 0.95 });
    const random = Random.stream(1, 'pool');
    let state = calibrator.initial();
    const scale = -Math.log(0.05);
    for (let t = 0; t < 4000; t++)
      state = calibrator.observe(
        state,
        ['A', 'B', 'C', 'D'].map((market) => ({
          market,
          // All markets lose twice what the predictor thinks.
          loss: (2 * random.exponential()) / scale,
          forecast,
        })),
      );
    const fresh = calibrator.adjusted(state, 'FRESH', forecast);
    expect(fresh.valueAtRisk).toBe(Math.exp(state.logMultiplier));
    expect(fresh.valueAtRisk).toBeGreaterThan(1.6);
    expect(fresh.valueAtRisk).toBeLessThan(2.4);
    expect(fresh.expectedShortfall / fresh.valueAtRisk).toBeCloseTo(1.5, 12);
  });

  test('young markets are nearer to the target with a pool than each alone', () => {
    const confidence = 0.99;
    const scale = -Math.log(1 - confidence);
    const shared = { pooled: 0, alone: 0, raw: 0, n: 0 };
    for (let seed = 1; seed <= 10; seed++) {
      const random = Random.stream(seed, 'young');
      const pooled = pooledTracking({ confidence });
      const alone = pooledTracking({ confidence });
      let together = pooled.initial();
      const single = new Map<string, PooledState>();
      for (let t = 0; t < 900; t++) {
        const observations: PooledObservation[] = [];
        for (let m = 0; m < 12; m++) {
          // Market m is listed at step 75 m; its losses are about 1.8 times what the predictor thinks.
          if (t < 75 * m) continue;
          const market = `M${m}`;
          const loss = ((1.7 + 0.02 * m) * random.exponential()) / scale;
          observations.push({ market, loss, forecast });
          const own = single.get(market) ?? alone.initial();
          if (t < 75 * m + 150 && m >= 6) {
            shared.n++;
            if (loss > 1) shared.raw++;
            if (loss > pooled.adjusted(together, market, forecast).valueAtRisk) shared.pooled++;
            if (loss > alone.adjusted(own, market, forecast).valueAtRisk) shared.alone++;
          }
          single.set(market, alone.observe(own, [{ market, loss, forecast }]));
        }
        together = pooled.observe(together, observations);
      }
    }
    expect(shared.raw / shared.n).toBeGreaterThan(0.06);
    expect(shared.alone / shared.n).toBeGreaterThan(0.025);
    expect(Math.abs(shared.pooled / shared.n - 0.01)).toBeLessThan(0.005);
  });

  test('each market, and the pool, keep the bound of the docstring against an adversary', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('high', 'low', 'above', 'below'), { minLength: 3, maxLength: 50 }),
        fc.constantFrom(0.9, 0.98),
        fc.constantFrom(0, 1, 20),
        fc.integer({ min: 200, max: 1500 }),
        (moves, confidence, prior, steps) => {
          const alpha = 1 - confidence;
          const rate = 0.1;
          const calibrator = pooledTracking({
            confidence,
            rate,
            prior,
            range: { least: 1e-9, greatest: 1e9 },
          });
          let state = calibrator.initial();
          let poolHits = 0;
          for (let t = 0; t < steps; t++) {
            const observations = ['A', 'B'].map((market, j) => {
              const own = calibrator.adjusted(state, market, forecast).valueAtRisk;
              const move = moves[(t * (j + 1) + j) % moves.length];
              const wanted = { high: 4, low: 0.25, above: own * (1 + 1e-9), below: own * (1 - 1e-9) }[move];
              const loss = Math.min(Math.max(wanted, 0.25), 4);
              if (loss > Math.exp(state.logMultiplier)) poolHits += 0.5;
              return { market, loss, forecast };
            });
            state = calibrator.observe(state, observations);
          }
          const width = 2 * Math.log(4) + 2 * rate;
          const bound = (width + Math.sqrt((width * prior * rate) / alpha)) / (rate * steps);
          for (const { exceedances } of Object.values(state.members))
            expect(Math.abs(exceedances / steps - alpha)).toBeLessThanOrEqual(bound + 1e-9);
          const poolBound = (Math.log(4) + rate) / (rate * steps);
          expect(Math.abs(poolHits / steps - alpha)).toBeLessThanOrEqual(poolBound + 1e-9);
        },
      ),
      { seed: 13, numRuns: 80 },
    );
  });

  test('does not depend on the order of the markets in a step, nor on their names', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 3, maxLength: 90 }),
        (losses) => {
          const calibrator = pooledTracking({ confidence: 0.9 });
          const names = ['__proto__', 'constructor', 'BTCUSDT'];
          let [there, back] = [calibrator.initial(), calibrator.initial()];
          for (let t = 0; t + 3 <= losses.length; t += 3) {
            const observations = names.map((market, j) => ({ market, loss: losses[t + j], forecast }));
            there = calibrator.observe(there, observations);
            back = calibrator.observe(JSON.parse(JSON.stringify(back)), observations.toReversed());
            expect(JSON.stringify(back)).toBe(JSON.stringify(there));
            for (const market of names)
              expect(calibrator.adjusted(back, market, forecast)).toEqual(
                calibrator.adjusted(there, market, forecast),
              );
          }
          expect(Object.keys(there.members).length).toBe(3);
          expect(JSON.stringify(JSON.parse(JSON.stringify(there)))).toBe(JSON.stringify(there));
        },
      ),
      { seed: 14, numRuns: 50 },
    );
  });

  test('a market that is named twice in a step is refused with a remedy', () => {
    const calibrator = pooledTracking({ confidence: 0.9 });
    const twice = [1, 2].map((loss) => ({ market: 'A', loss, forecast }));
    expect(() => calibrator.observe(calibrator.initial(), twice)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }),
    );
    expect(calibrator.observe(calibrator.initial(), [])).toEqual(calibrator.initial());
  });

  test.each([
    ['a confidence of 1', { confidence: 1 }],
    ['a rate of 0', { rate: 0 }],
    ['a pool that learns faster than its members', { rate: 0.01, poolRate: 0.02 }],
    ['a prior below 0', { prior: -1 }],
    ['a range without 1 in it', { range: { least: 2, greatest: 3 } }],
  ])('%s is refused with a remedy', (_, change) => {
    expect(() => pooledTracking({ confidence: 0.9, ...change })).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }),
    );
  });

  test('neither losses nor forecasts that are no numbers are learnt from', () => {
    const calibrator = pooledTracking({ confidence: 0.9 });
    const refusal = expect.objectContaining({ code: 'INPUT_INVALID' });
    const learn = (loss: number, given: typeof forecast) =>
      expect(() => calibrator.observe(calibrator.initial(), [{ market: 'A', loss, forecast: given }]));
    learn(Number.NaN, forecast).toThrow(refusal);
    learn(1, { ...forecast, valueAtRisk: Number.NaN }).toThrow(refusal);
    expect(() => calibrator.adjusted(calibrator.initial(), 'A', { ...forecast, valueAtRisk: 0 })).toThrow(
      refusal,
    );
  });
});
