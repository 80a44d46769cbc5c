import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_BOUND_POLICY } from '../bound-policy.ts';
import { decideMarket } from '../decide.ts';
import type { MarketWideInput } from '../market-input.ts';
import { context, DECIDED_AT, HOUR, largeMarket } from '../test-inputs.ts';
import type { MarketLimit } from '../types.ts';
import { marketWideFactor } from './market-wide.ts';

const CALM: MarketWideInput = { markets: 40, stressedShare: 0.02, commonShock: -0.5, source: 'test' };
const RULES = DEFAULT_BOUND_POLICY.marketWide;

function decide(
  marketWide: MarketWideInput | null,
  previous: MarketLimit | null = null,
  decidedAt = DECIDED_AT,
): MarketLimit {
  return decideMarket(largeMarket(), previous, context({ marketWide, decidedAt }));
}

function bound({ bounds }: MarketLimit) {
  const found = bounds.find(({ name }) => name === 'marketWide');
  if (found === undefined) throw new Error('there is no market-wide bound');
  return found;
}

describe('the factor of all markets', () => {
  it.each([
    [0, 0, 1],
    [0.25, 3, 1],
    [0.5, 0, 1.125],
    [0, -4.5, 1.125],
    [0.5, 6, 1.25],
    [1, 100, 1.25],
  ])('with %d of them in stress and a common move of %d is %d', (stressedShare, commonShock, factor) => {
    expect(marketWideFactor({ stressedShare, commonShock }, RULES)).toBeCloseTo(factor, 12);
  });

  it('stays between 1 and the cap and never falls with either', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const shock = fc.double({ min: -20, max: 20, noNaN: true });
    fc.assert(
      fc.property(share, share, shock, (a, b, commonShock) => {
        const less = marketWideFactor({ stressedShare: Math.min(a, b), commonShock }, RULES);
        const more = marketWideFactor({ stressedShare: Math.max(a, b), commonShock }, RULES);
        expect(less).toBeGreaterThanOrEqual(1);
        expect(more).toBeLessThanOrEqual(RULES.maximumFactor);
        expect(more).toBeGreaterThanOrEqual(less);
      }),
      { seed: 9 },
    );
  });
});

describe('market-wide stress in a decision', () => {
  it('does not limit in calm, and binds with its factor in a storm, on the initial margin alone', () => {
    expect(bound(decide(CALM))).toMatchObject({ available: true, maxLeverage: null });
    const storm = decide({ ...CALM, stressedShare: 0.9 });
    expect(storm.bindingBound).toBe('marketWide');
    expect(storm.reasons[0]).toBe('MARKET_WIDE_BINDS');
    expect(bound(storm).maxLeverage).toBeCloseTo(21.93 / 1.25, 1);
    expect(storm.brackets[0].maxLeverage).toBe(15);
    const widest = (limit: MarketLimit) => limit.brackets.at(-1)?.maintenanceMarginRatePpm;
    expect(widest(storm)).toBe(widest(decide(CALM)));
  });

  it.each<[string, MarketWideInput | null, string]>([
    ['nothing is known', null, 'nothing is known'],
    ['the share is no share', { ...CALM, stressedShare: 1.5 }, 'no share'],
    ['the share is no number', { ...CALM, stressedShare: Number.NaN }, 'no share'],
    ['the move is no number', { ...CALM, commonShock: Number.NaN }, 'no possible number'],
    ['too few markets could be judged', { ...CALM, markets: 4 }, 'only 4 markets'],
  ])('is not available where %s, and what it asked for before is kept', (_, input, reason) => {
    const alone = bound(decide(input));
    expect(alone.available).toBe(false);
    expect(alone.unavailableReason).toContain(reason);
    const storm = decide({ ...CALM, stressedShare: 0.9 });
    const later = decide(input, storm, DECIDED_AT + 100 * HOUR);
    expect(bound(later).evidence).toMatchObject({ held: true, factor: 1.25 });
    expect(later.brackets).toBe(storm.brackets);
    expect(later.reasons).toContain('BOUND_INPUT_MISSING');
  });
});
