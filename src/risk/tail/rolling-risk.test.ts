import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { type BarSeries, emptyBars } from '../bars.ts';
import { quantile } from '../numeric/quantile.ts';
import { asymmetricReturns, parkMiller } from '../park-miller.fixture.ts';
import { lossesOfBars, lossesOfReturns } from './loss-sample.ts';
import { rollingFilteredRisk, rollingHistoricalRisk, rollingTailsAt } from './rolling-risk.ts';
import { historicalRisk } from './value-at-risk.ts';

describe('historical VaR and ES of a rolling window', () => {
  const losses = fc
    .array(fc.oneof(fc.double({ min: -1, max: 1, noNaN: true }), fc.constantFrom(0, 0.5, 1e12, -1e12)), {
      minLength: 2,
      maxLength: 200,
    })
    .map((values) => Float64Array.from(values));

  test('are those of each window alone, with ties and with absurd losses that come and go', () => {
    fc.assert(
      fc.property(
        losses,
        fc.integer({ min: 2, max: 60 }),
        fc.double({ min: 0.01, max: 0.999, noNaN: true }),
        (sample, length, confidence) => {
          const window = Math.min(length, sample.length);
          const { valueAtRisk, expectedShortfall, from } = rollingHistoricalRisk(sample, window, confidence);
          expect(from).toBe(window - 1);
          for (let i = 0; i < sample.length; i++) {
            if (i < from) {
              expect(valueAtRisk[i]).toBe(0);
              continue;
            }
            const alone = historicalRisk(sample.slice(i + 1 - window, i + 1), confidence);
            expect(valueAtRisk[i]).toBe(alone.valueAtRisk);
            const scale = Math.max(Math.abs(alone.expectedShortfall), 1e-300);
            expect(Math.abs(expectedShortfall[i] - alone.expectedShortfall)).toBeLessThanOrEqual(
              1e-9 * scale + 1e-4,
            );
            expect(expectedShortfall[i]).toBeGreaterThanOrEqual(valueAtRisk[i]);
          }
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  test('to the last digits, over real-sized numbers', () => {
    const sample = asymmetricReturns();
    for (const confidence of [0.5, 0.9, 0.975, 0.99, 0.9999]) {
      const rolling = rollingHistoricalRisk(sample, 500, confidence);
      for (let i = 499; i < 2000; i += 37) {
        const alone = historicalRisk(sample.slice(i - 499, i + 1), confidence);
        expect(rolling.valueAtRisk[i]).toBe(alone.valueAtRisk);
        expect(Math.abs(rolling.expectedShortfall[i] / alone.expectedShortfall - 1)).toBeLessThan(1e-13);
      }
    }
  });

  test('filtered ones are the same of losses over their scales, times the next scale', () => {
    const sample = asymmetricReturns().slice(0, 300);
    const scales = sample.map((_, i) => 1 + (i % 7));
    const next = sample.map((_, i) => 1 + ((i + 1) % 7));
    const filtered = rollingFilteredRisk(sample, scales, next, 100, 0.95);
    const unit = historicalRisk(
      sample.slice(150, 250).map((loss, i) => loss / scales[150 + i]),
      0.95,
    );
    expect(filtered.valueAtRisk[249]).toBeCloseTo(unit.valueAtRisk * next[249], 15);
    expect(filtered.expectedShortfall[249]).toBeCloseTo(unit.expectedShortfall * next[249], 15);
  });

  test('refuse a window that does not fit, and numbers that are none', () => {
    const sample = Float64Array.of(1, 2, 3);
    const code = (act: () => unknown, expected: string): void =>
      expect(act).toThrow(expect.objectContaining({ code: expected }));
    code(() => rollingHistoricalRisk(sample, 4, 0.9), 'DATA_INSUFFICIENT');
    code(() => rollingHistoricalRisk(sample, 1, 0.9), 'INPUT_INVALID');
    code(() => rollingHistoricalRisk(sample, 2, 1), 'INPUT_INVALID');
    code(() => rollingHistoricalRisk(Float64Array.of(1, Number.NaN), 2, 0.9), 'INPUT_INVALID');
    code(() => rollingFilteredRisk(sample, sample.slice(1), sample, 2, 0.9), 'INPUT_INVALID');
    code(() => rollingFilteredRisk(sample, sample, Float64Array.of(1, 2, 3, 4), 2, 0.9), 'INPUT_INVALID');
  });
});

describe('losses by origin', () => {
  function walk(count: number): BarSeries {
    const { uniform, normal } = parkMiller(3);
    const bars = emptyBars(count, 60_000);
    let price = 100;
    for (let i = 0; i < count; i++) {
      bars.openTime[i] = i * 60_000;
      bars.open[i] = price;
      price *= Math.exp(0.01 * normal());
      bars.close[i] = price;
      bars.high[i] = Math.max(bars.open[i], price) * (1 + 0.005 * uniform());
      bars.low[i] = Math.min(bars.open[i], price) * (1 - 0.005 * uniform());
    }
    return bars;
  }

  test('from returns compound, and a path is never worse off than its worst point', () => {
    const returns = Float64Array.of(0.1, -0.2, 0.05, 0.3);
    const terminal = lossesOfReturns(returns, 'long', 2, 'terminal').losses;
    expect(terminal[0]).toBeCloseTo(1 - 1.1 * 0.8, 15);
    expect(terminal[2]).toBeCloseTo(1 - 1.05 * 1.3, 15);
    const excursion = lossesOfReturns(returns, 'long', 2, 'excursion').losses;
    expect(Array.from(excursion, (value) => Number(value.toFixed(12)))).toEqual([0.12, 0.2, 0]);
    const short = lossesOfReturns(returns, 'short', 2, 'excursion').losses;
    expect(Array.from(short, (value) => Number(value.toFixed(12)))).toEqual([0.1, 0, 0.365]);
    expect(lossesOfReturns(returns, 'short', 1, 'terminal').losses).toEqual(returns);
  });

  test('from bars see the lows and highs within, and start after the last gap', () => {
    const bars = walk(60);
    for (let i = 20; i < 60; i++) bars.openTime[i] += 60_000;
    for (const side of ['long', 'short'] as const) {
      const path = lossesOfBars(bars, side, 3, 'excursion');
      expect(path).toMatchObject({ seesWithinSteps: true, horizon: 3 });
      expect(path.returns.length).toBe(39);
      expect(path.losses.length).toBe(37);
      const extremes = [21, 22, 23].map((i) =>
        side === 'long' ? 1 - bars.low[i] / bars.close[20] : bars.high[i] / bars.close[20] - 1,
      );
      expect(path.losses[0]).toBeCloseTo(Math.max(...extremes), 14);
      const end = lossesOfBars(bars, side, 3, 'terminal');
      end.losses.forEach((loss, i) => {
        expect(path.losses[i]).toBeGreaterThanOrEqual(loss - 1e-12);
      });
    }
    expect(() => lossesOfBars(walk(2), 'long', 5, 'excursion')).toThrow(
      expect.objectContaining({ code: 'DATA_INSUFFICIENT' }),
    );
  });
});

describe('tails of a rolling window at chosen steps', () => {
  test('refuse what the window over all steps refuses', () => {
    const sample = Float64Array.of(1, 2, 3);
    const code = (act: () => unknown, expected: string): void =>
      expect(act).toThrow(expect.objectContaining({ code: expected, remedy: expect.any(String) }));
    const at = Int32Array.of(2);
    for (const wrong of [0, 1, Number.NaN]) {
      code(() => rollingTailsAt(sample, 2, at, [wrong], [0.9]), 'INPUT_INVALID');
      code(() => rollingTailsAt(sample, 2, at, [0.5], [wrong]), 'INPUT_INVALID');
    }
    for (const window of [1, 2.5])
      code(() => rollingTailsAt(sample, window, at, [0.5], [0.9]), 'INPUT_INVALID');
    code(() => rollingTailsAt(sample, 4, at, [0.5], [0.9]), 'DATA_INSUFFICIENT');
    code(() => rollingTailsAt(Float64Array.of(1, Number.NaN, 2), 2, at, [0.5], [0.9]), 'INPUT_INVALID');
  });

  test('are those of the window that rolls over all steps, and its quantiles the sorted ones', () => {
    const random = Random.stream(4, 'rolling tails');
    const losses = Float64Array.from({ length: 900 }, () => random.studentT(3) ** 2);
    for (const window of [2, 57, 400]) {
      const at = Int32Array.from(
        [window - 1, window, window + 3, 700, 700, 899].filter((i) => i >= window - 1),
      );
      const { quantiles, risks } = rollingTailsAt(losses, window, at, [0.5, 0.9], [0.95, 0.99]);
      for (const [k, end] of at.entries()) {
        const own = losses.slice(end + 1 - window, end + 1);
        for (const [l, level] of [0.5, 0.9].entries())
          expect(quantiles[l][k]).toBeCloseTo(quantile(own, level), 12);
        for (const [c, confidence] of [0.95, 0.99].entries()) {
          const whole = rollingHistoricalRisk(losses, window, confidence);
          expect(risks[c].valueAtRisk[k]).toBe(whole.valueAtRisk[end]);
          expect(risks[c].expectedShortfall[k]).toBe(whole.expectedShortfall[end]);
        }
      }
    }
  });
});
