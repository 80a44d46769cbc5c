import { describe, expect, it } from 'vitest';
import { decideMarket } from '../../limits/decide.ts';
import { survivalProbability } from '../../limits/distribution.ts';
import { context, largeMarket } from '../../limits/test-inputs.ts';
import { Random } from '../../random.ts';
import { marketSensitivity, survivalIntegral } from './market-sensitivity.ts';

const CONFIDENCES = [0.95, 0.99, 0.995, 0.999];
const market = decideMarket(largeMarket(), null, context());
const LEVERAGES = [1, 2, 5, 10, 20, 50, 100, 200];

describe('the integral of a survival function', () => {
  it('is what adding up thin slices comes to, wherever it begins and ends', () => {
    const random = new Random(4);
    for (let trial = 0; trial < 20; trial++) {
      const quantiles: number[] = [];
      for (const _ of CONFIDENCES) quantiles.push((quantiles.at(-1) ?? 0) + 0.001 + 0.05 * random.uniform());
      const [from, until] = [0.1 * random.uniform(), 0.2 + 2 * random.uniform()];
      const slices = 20_000;
      const width = (until - from) / slices;
      let slow = 0;
      for (let i = 0; i < slices; i++)
        slow += width * survivalProbability(from + (i + 0.5) * width, quantiles, CONFIDENCES);
      expect(survivalIntegral(from, until, quantiles, CONFIDENCES) / slow).toBeCloseTo(1, 3);
    }
  });

  it('is a number where quantiles are alike or nothing', () => {
    for (const quantiles of [
      [0, 0, 0, 0],
      [0.1, 0.1, 0.1, 0.1],
      [0.1, 0.1, 0.2, 0.2],
    ])
      expect(survivalIntegral(0.05, 1, quantiles, CONFIDENCES)).toBeGreaterThanOrEqual(0);
  });
});

describe('the sensitivity of a market to the leverage granted', () => {
  const points = marketSensitivity(market, LEVERAGES, 24, 0.0007);

  it('has a point for each side and leverage, and both measures rise with leverage', () => {
    expect(points.length).toBe(2 * LEVERAGES.length);
    for (const side of ['long', 'short']) {
      const own = points.filter((point) => point.side === side);
      for (const [i, point] of own.entries()) {
        expect(point.liquidationProbability).toBeLessThanOrEqual(1);
        expect(point.badDebtRatio).toBeGreaterThanOrEqual(0);
        if (i === 0) continue;
        expect(point.liquidationProbability).toBeGreaterThanOrEqual(own[i - 1].liquidationProbability);
        expect(point.badDebtRatio).toBeGreaterThanOrEqual(own[i - 1].badDebtRatio);
      }
    }
  });

  it('is the probability that the book publishes for its top leverage, at the horizon of the margin call', () => {
    const top = market.brackets[0].maxLeverage;
    const [long, short] = marketSensitivity(market, [top], 4, 0);
    expect(long.liquidationProbability).toBeCloseTo(market.shockProbability.long ?? -1, 12);
    expect(short.liquidationProbability).toBeCloseTo(market.shockProbability.short ?? -1, 12);
  });

  it('of a long without leverage is never a liquidation that costs anybody anything', () => {
    expect(marketSensitivity(market, [1], 24, 0)[0].badDebtRatio).toBe(0);
  });

  it('is empty where no forecast of the horizon was published', () => {
    expect(marketSensitivity(market, LEVERAGES, 7, 0)).toEqual([]);
    expect(marketSensitivity({ ...market, forecasts: [] }, LEVERAGES, 24, 0)).toEqual([]);
  });
});
