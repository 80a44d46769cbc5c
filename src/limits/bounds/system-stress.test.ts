import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_BOUND_POLICY } from '../bound-policy.ts';
import { maxLeverageAt } from '../brackets.ts';
import { canonicalJson } from '../chain.ts';
import { EDGES } from '../cut.ts';
import { decideMarket } from '../decide.ts';
import { decodeInputs, encodeInputs } from '../decision-inputs.ts';
import type { MarketWideInput, SystemStressInput } from '../market-input.ts';
import { context, DECIDED_AT, EXAMPLE_POLICY, HOUR, largeMarket } from '../test-inputs.ts';
import type { MarketLimit } from '../types.ts';
import { systemStressFactor } from './system-stress.ts';

const RULES = DEFAULT_BOUND_POLICY.systemStress;
const CALM: SystemStressInput = {
  accounts: 5_000,
  leverage: 4,
  forcedShare: 0.05,
  fundUse: 0,
  observedAt: DECIDED_AT,
  source: 'test',
};
const FRAGILE = { ...CALM, leverage: 40 };

function decide(
  systemStress: SystemStressInput | undefined,
  previous: MarketLimit | null = null,
  decidedAt = DECIDED_AT,
  marketWide: MarketWideInput | null = context().marketWide,
): MarketLimit {
  const given = systemStress === undefined ? {} : { systemStress };
  return decideMarket(largeMarket(), previous, context({ ...given, decidedAt, marketWide }));
}

function bound({ bounds }: MarketLimit) {
  const found = bounds.find(({ name }) => name === 'marketWide');
  if (found === undefined) throw new Error('there is no market-wide bound');
  return found;
}

describe('the factor of the system of accounts', () => {
  it.each([
    [{ leverage: 10, forcedShare: 0.2, fundUse: 0.5 }, 1],
    [{ leverage: 17.5, forcedShare: 0, fundUse: 0 }, 1.125],
    [{ leverage: 0, forcedShare: 0.4, fundUse: 0 }, 1.125],
    [{ leverage: 0, forcedShare: 0, fundUse: 1.25 }, 1.125],
    [{ leverage: 100, forcedShare: 0.3, fundUse: 50 }, 1.25],
  ])('of %j is %d', (input, factor) => {
    expect(systemStressFactor(input, RULES)).toBeCloseTo(factor, 12);
  });

  it('stays between 1 and the maximum and falls with none of the three', () => {
    const any = fc.record({
      leverage: fc.double({ min: 0, max: 100, noNaN: true }),
      forcedShare: fc.double({ min: 0, max: 1, noNaN: true }),
      fundUse: fc.double({ min: 0, max: 10, noNaN: true }),
    });
    fc.assert(
      fc.property(any, any, (a, b) => {
        const most = {
          leverage: Math.max(a.leverage, b.leverage),
          forcedShare: Math.max(a.forcedShare, b.forcedShare),
          fundUse: Math.max(a.fundUse, b.fundUse),
        };
        const factor = systemStressFactor(a, RULES);
        expect(factor).toBeGreaterThanOrEqual(1);
        expect(systemStressFactor(most, RULES)).toBeGreaterThanOrEqual(factor);
        expect(systemStressFactor(most, RULES)).toBeLessThanOrEqual(RULES.maximumFactor);
      }),
      { seed: 3 },
    );
  });
});

describe('the system of accounts in a decision', () => {
  it('changes nothing, not a byte, where nobody looks at it: also under policies from before it was a setting', () => {
    const { systemStress: _, ...bounds } = DEFAULT_BOUND_POLICY;
    const old = {
      ...EXAMPLE_POLICY,
      bounds: { ...EXAMPLE_POLICY.bounds, ...bounds, systemStress: undefined },
    };
    const before = decideMarket(largeMarket(), null, context({ policy: old as never }));
    expect(canonicalJson({ ...decide(undefined) })).toBe(canonicalJson({ ...before }));
    expect(decide(undefined).boundState).not.toHaveProperty('systemStress');
    expect(Object.keys(bound(decide(undefined)).evidence).some((key) => key.startsWith('system'))).toBe(
      false,
    );
  });

  it('binds with its factor where accounts are fragile, on the initial margin alone, and says what it saw', () => {
    const calm = decide(CALM);
    expect(bound(calm)).toMatchObject({
      available: true,
      maxLeverage: null,
      evidence: { systemLeverage: 4 },
    });
    const fragile = decide(FRAGILE);
    expect(fragile.bindingBound).toBe('marketWide');
    expect(bound(fragile).evidence).toMatchObject({ factor: 1.25, systemFactor: 1.25, systemHeld: false });
    const widest = (limit: MarketLimit) => limit.brackets.at(-1)?.maintenanceMarginRatePpm;
    expect(widest(fragile)).toBe(widest(calm));
  });

  it('does not lower what prices ask for, nor need them to be known', () => {
    const storm = { markets: 40, stressedShare: 0.5, commonShock: 0, source: 'test' };
    expect(bound(decide(CALM, null, DECIDED_AT, storm)).evidence).toMatchObject({ factor: 1.125 });
    const alone = bound(decide(FRAGILE, null, DECIDED_AT, null));
    expect(alone).toMatchObject({ available: true, unavailableReason: '' });
    expect(alone.evidence).toMatchObject({
      factor: 1.25,
      missing: expect.stringContaining('nothing is known'),
    });
  });

  it.each<[string, SystemStressInput | undefined, string]>([
    ['is gone', undefined, 'nobody has looked'],
    ['is late', { ...CALM, observedAt: DECIDED_AT }, '5.0 hours ago'],
    ['is from the future', { ...CALM, observedAt: DECIDED_AT + 99 * HOUR }, 'future'],
    ['has no number for the leverage', { ...CALM, leverage: Number.NaN }, 'no possible number'],
    ['has a share that is none', { ...CALM, forcedShare: 2 }, 'no share'],
    ['is of too few accounts', { ...CALM, accounts: 3 }, 'only 3 accounts'],
  ])('that %s holds what it was, and nothing loosens', (_, input, reason) => {
    const before = decide(FRAGILE);
    const later = decide(input, before, DECIDED_AT + 5 * HOUR);
    expect(bound(later).evidence).toMatchObject({ factor: 1.25, systemHeld: true });
    expect(bound(later).evidence.systemMissing).toContain(reason);
    expect(later.brackets).toBe(before.brackets);
    expect(later.reasons).toContain('BOUND_INPUT_MISSING');
    const again = decide({ ...CALM, observedAt: DECIDED_AT + 6 * HOUR }, later, DECIDED_AT + 6 * HOUR);
    expect(again.reasons).not.toContain('BOUND_INPUT_MISSING');
    expect(bound(again).evidence).toMatchObject({ factor: 1, systemHeld: false });
  });

  it('never grants more than without it, at any notional, whatever it says', () => {
    const any = fc.record({
      accounts: fc.integer({ min: 0, max: 1000 }),
      leverage: fc.double(),
      forcedShare: fc.double(),
      fundUse: fc.double(),
      observedAt: fc.integer({ min: DECIDED_AT - 3 * HOUR, max: DECIDED_AT + 3 * HOUR }),
      source: fc.constant('test'),
    });
    fc.assert(
      fc.property(any, (input) => {
        const [withIt, without] = [decide(input), decide(undefined)];
        for (const edge of EDGES)
          expect(maxLeverageAt(withIt.brackets, edge)).toBeLessThanOrEqual(
            maxLeverageAt(without.brackets, edge),
          );
      }),
      { seed: 5, numRuns: 60 },
    );
  });

  it('is forgotten where the policy has a maximum of 1', () => {
    const policy = {
      ...EXAMPLE_POLICY,
      bounds: { ...EXAMPLE_POLICY.bounds, systemStress: { ...RULES, maximumFactor: 1 } },
    };
    const off = decideMarket(largeMarket(), decide(FRAGILE), context({ policy, systemStress: FRAGILE }));
    expect(off.boundState).not.toHaveProperty('systemStress');
    expect(off.reasons).not.toContain('BOUND_INPUT_MISSING');
  });

  it('is kept with the inputs of the decision and read back as it was', () => {
    const { inputsHash: _, ...rest } = context({ systemStress: FRAGILE });
    const inputs = { markets: [largeMarket()], context: rest, program: 'test' };
    expect(decodeInputs(encodeInputs(inputs)).context.systemStress).toEqual(FRAGILE);
  });
});
