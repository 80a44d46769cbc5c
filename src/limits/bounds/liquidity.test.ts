import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_BOUND_POLICY } from '../bound-policy.ts';
import { maxLeverageAt } from '../brackets.ts';
import { EDGES } from '../cut.ts';
import { decideMarket } from '../decide.ts';
import type { DepthInput } from '../market-input.ts';
import { DEFAULT_POLICY } from '../policy.ts';
import { context, DECIDED_AT, HOUR, largeMarket } from '../test-inputs.ts';
import { anyDepth } from '../test-targets.ts';
import type { MarketLimit } from '../types.ts';

const VOLUME = { hourlyVolume: 500e6, dailyVolatility: 0.03 };
/** Half a million within 1 % is little for a market that trades 500 million an hour. */
const THIN: DepthInput = { quoteNotional: 500_000, bandRate: 0.01, observedAt: DECIDED_AT - HOUR / 2 };

function decided(depth: DepthInput | undefined, previous: MarketLimit | null = null, decidedAt = DECIDED_AT) {
  const liquidity = depth === undefined ? VOLUME : { ...VOLUME, depth };
  return decideMarket(largeMarket({ liquidity, asOf: decidedAt - HOUR }), previous, context({ decidedAt }));
}

function evidenceOf(market: MarketLimit) {
  return market.bounds.find(({ name }) => name === 'liquidity')?.evidence;
}

describe('an order book', () => {
  it('that is known is in the evidence of the bound, with what it costs to walk it', () => {
    // 25 million in an hour, 6.25 million a slice: 0.01 · 6.25 million / (2 · 500,000).
    expect(evidenceOf(decided(THIN))).toMatchObject({
      depthNotional: 500_000,
      depthBandRate: 0.01,
      depthObservedAt: THIN.observedAt,
      depthReferenceNotional: 25e6,
      depthImpactRate: 0.0625,
      depthIgnored: '',
    });
  });

  it('that was never given leaves no trace in a decision', () => {
    const market = decided(undefined);
    expect(Object.keys(evidenceOf(market) ?? {}).filter((name) => name.startsWith('depth'))).toEqual([]);
    expect(market.boundState).not.toHaveProperty('depthObservedAt');
  });

  it('takes leverage at some notional or leaves all as it is, whatever it holds', () => {
    const without = decided(undefined);
    expect(maxLeverageAt(decided(THIN).brackets, 10e6)).toBeLessThan(maxLeverageAt(without.brackets, 10e6));
    fc.assert(
      fc.property(anyDepth, (depth) => {
        const { brackets } = decided({ ...depth, observedAt: DECIDED_AT });
        for (const edge of EDGES)
          expect(maxLeverageAt(brackets, edge)).toBeLessThanOrEqual(maxLeverageAt(without.brackets, edge));
      }),
      { seed: 71, numRuns: 300 },
    );
  });

  it.each([
    ['stale', { ...THIN, observedAt: DECIDED_AT - 2 * HOUR }, 'the order book is older than 1 h'],
    ['from the future', { ...THIN, observedAt: DECIDED_AT + 1 }, 'the order book is from the future'],
    ['empty', { ...THIN, quoteNotional: 0 }, 'the order book is empty'],
    ['negative', { ...THIN, quoteNotional: -1 }, 'the order book holds an impossible number'],
    ['not a number', { ...THIN, quoteNotional: Number.NaN }, 'the order book holds an impossible number'],
    ['of no band', { ...THIN, bandRate: 0 }, 'the order book holds an impossible number'],
    ['of no time', { ...THIN, observedAt: Number.NaN }, 'the order book holds an impossible number'],
  ])('that is %s is ignored with the reason, and nothing loosens', (_, depth, reason) => {
    const market = decided(depth);
    expect(market.brackets).toEqual(decided(undefined).brackets);
    expect(evidenceOf(market)).toMatchObject({ depthIgnored: reason });
    expect(market.reasons).toContain('BOUND_INPUT_MISSING');
  });

  it('that is lost buys no leverage, however long ago; one that comes back deeper does', () => {
    const before = decided(THIN);
    const later = DECIDED_AT + 100 * HOUR;
    const lost = decided(undefined, before, later);
    expect(lost.brackets).toBe(before.brackets);
    expect(evidenceOf(lost)).toMatchObject({ depthIgnored: 'the order book is not known any more' });
    const deep = { quoteNotional: 1e9, bandRate: 0.01, observedAt: later + HOUR };
    expect(decided(deep, lost, later + HOUR).governor.move).toBe('loosen');
  });

  it('does not count under a policy that does not want it, and is not missed', () => {
    const bounds = { ...DEFAULT_BOUND_POLICY, depth: { staleAfterHours: 1, refillHours: 0 } };
    const policy = { ...DEFAULT_POLICY, bounds };
    const input = largeMarket({ liquidity: { ...VOLUME, depth: THIN } });
    const market = decideMarket(input, decided(THIN), context({ policy }));
    expect(evidenceOf(market)).toMatchObject({ depthIgnored: 'the policy does not count the order book' });
    expect(market.boundState).not.toHaveProperty('depthObservedAt');
    expect(market.reasons).not.toContain('BOUND_INPUT_MISSING');
  });
});
