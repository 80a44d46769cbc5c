import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideMarket } from '../decide.ts';
import type { OpenInterestInput } from '../market-input.ts';
import { context, DECIDED_AT, HOUR, largeMarket } from '../test-inputs.ts';
import type { MarketLimit } from '../types.ts';
import { crowdedMarginPpm } from './crowding.ts';

const LOWER = 40_000_000_000;
const UPPER = 160_000_000_000;

function open(quoteNotional: number, observedAt = DECIDED_AT): OpenInterestInput {
  return { quoteNotional, observedAt };
}

function decide(
  openInterest: OpenInterestInput | null,
  previous: MarketLimit | null = null,
  decidedAt = DECIDED_AT,
): MarketLimit {
  return decideMarket(largeMarket({ openInterest }), previous, context({ decidedAt }));
}

function crowding({ bounds }: MarketLimit) {
  const bound = bounds.find(({ name }) => name === 'crowding');
  if (bound === undefined) throw new Error('there is no crowding bound');
  return bound;
}

describe('the margin of a crowded market', () => {
  // The rule of dYdX v4 (x/perpetuals, GetAdjustedInitialMarginQuoteQuantums), worked by hand: 20,000 ppm at the
  // lower cap, 1,000,000 at the upper, and 20,000 + ⌊980,000 · share⌋ in between.
  it.each([
    [0, 20_000],
    [25_000_000, 20_000],
    [25_000_001, 20_000],
    [31_250_000, 265_000],
    [37_500_000, 510_000],
    [49_999_999, 999_999],
    [50_000_000, 1_000_000],
    [80_000_000, 1_000_000],
  ])('at an open interest of %d is %d ppm', (openInterest, expected) => {
    expect(crowdedMarginPpm(20_000, openInterest, 25_000_000, 50_000_000)).toBe(expected);
  });

  it('never falls with open interest or with its base, and is never below the base', () => {
    const ppm = fc.integer({ min: 1, max: 2_000_000 });
    const interest = fc.integer({ min: 0, max: 10 ** 15 });
    fc.assert(
      fc.property(ppm, ppm, interest, interest, (a, b, c, d) => {
        const [base, higherBase] = [Math.min(a, b), Math.max(a, b)];
        const [less, more] = [Math.min(c, d), Math.max(c, d)];
        const margin = crowdedMarginPpm(base, less, LOWER, UPPER);
        expect(margin).toBeGreaterThanOrEqual(base);
        expect(crowdedMarginPpm(base, more, LOWER, UPPER)).toBeGreaterThanOrEqual(margin);
        expect(crowdedMarginPpm(higherBase, less, LOWER, UPPER)).toBeGreaterThanOrEqual(margin);
      }),
      { seed: 3 },
    );
  });
});

describe('crowding in a decision', () => {
  it('does not limit below the lower cap, binds above it, and never moves the maintenance margin', () => {
    const calm = decide(open(LOWER));
    expect(crowding(calm)).toMatchObject({ available: true, maxLeverage: null });
    const crowded = decide(open(LOWER + 0.1 * (UPPER - LOWER)));
    expect(crowded.bindingBound).toBe('crowding');
    expect(crowded.reasons[0]).toBe('CROWDING_BINDS');
    expect(crowded.brackets[0].maxLeverage).toBe(6);
    expect(calm.brackets[0].maxLeverage).toBe(20);
    // The brackets are others, but at their own edges nobody is asked for more maintenance than before.
    const rate = (limit: MarketLimit): number => limit.brackets[0].maintenanceMarginRatePpm;
    expect(rate(crowded)).toBeLessThanOrEqual(1.25 * rate(calm));
    expect(crowding(crowded).maxLeverage).toBeCloseTo(1 / (0.0456 + 0.1 * (1 - 0.0456)), 1);
  });

  it('leaves the market one leverage at the upper cap', () => {
    expect(decide(open(2 * UPPER)).brackets[0].maxLeverage).toBe(1);
  });

  it.each<[string, OpenInterestInput | null, string]>([
    ['is not given', null, 'no open interest'],
    ['is no number', open(Number.NaN), 'no possible number'],
    ['is nothing at all', open(0), 'no possible number'],
    ['is below zero', open(-1), 'no possible number'],
    ['is absurd', open(1e18), 'no possible number'],
    ['is old', open(LOWER, DECIDED_AT - 7 * HOUR), 'hours old'],
    ['is from the future', open(LOWER, DECIDED_AT + 1), 'future'],
    ['has no time', open(LOWER, Number.NaN), 'future'],
  ])('is not available, and says why, where open interest %s', (_, openInterest, reason) => {
    const bound = crowding(decide(openInterest));
    expect(bound.available).toBe(false);
    expect(bound.unavailableReason).toContain(reason);
  });

  it('holds what was known for a day when it is lost, then reckons with more, and loosens nothing meanwhile', () => {
    const known = open(LOWER + 0.02 * (UPPER - LOWER));
    const before = decide(known);
    const lost = decide(null, before, DECIDED_AT + HOUR);
    expect(crowding(lost)).toMatchObject({ available: true, maxLeverage: crowding(before).maxLeverage });
    expect(crowding(lost).evidence).toMatchObject({ held: true, openInterest: known.quoteNotional });
    expect(lost.reasons).toContain('BOUND_INPUT_MISSING');
    const late = decide(null, lost, DECIDED_AT + 26 * HOUR);
    expect(crowding(late).evidence.countedOpenInterest).toBe(LOWER + 0.05 * (UPPER - LOWER));
    expect(late.brackets[0].maxLeverage).toBeLessThan(lost.brackets[0].maxLeverage);
    const back = decide(open(1e9, DECIDED_AT + 27 * HOUR), late, DECIDED_AT + 27 * HOUR);
    expect(crowding(back).evidence).toMatchObject({ held: false, countedOpenInterest: 1e9 });
  });

  it('takes a fall to less than a tenth for another unit until it has lasted', () => {
    const before = decide(open(60e9));
    const later = DECIDED_AT + HOUR;
    const fallen = decide(open(60e9 / 60_000, later), before, later);
    expect(crowding(fallen).evidence.countedOpenInterest).toBe(60e9);
    expect(crowding(fallen).evidence.missing).toContain('a tenth');
    const dayAfter = later + 24 * HOUR;
    const accepted = decide(open(1e6, dayAfter), fallen, dayAfter);
    expect(crowding(accepted).evidence.countedOpenInterest).toBe(1e6);
  });
});
