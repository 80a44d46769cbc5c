import { describe, expect, it } from 'vitest';
import { type AssetClass, classFaults } from '../bound-policy.ts';
import { grantsMore } from '../brackets.ts';
import { decideMarket } from '../decide.ts';
import { NO_GOVERNANCE, type Override } from '../governance.ts';
import type { MarketInput } from '../market-input.ts';
import { policyFromInput } from '../policy-input.ts';
import { AXES, context, DECIDED_AT, EXAMPLE_POLICY, forecast, HOUR, largeMarket } from '../test-inputs.ts';
import type { MarketLimit } from '../types.ts';
import { assetClassOf } from './asset-class.ts';

const OVERRIDE: Override = {
  id: 'o1',
  symbol: 'BTCUSDT',
  maxLeverage: 5,
  mayLoosen: false,
  reason: 'a fork tomorrow',
  requestedBy: 'ada',
  requestedAt: DECIDED_AT - HOUR,
  approvedBy: null,
  approvedAt: null,
  expiresAt: DECIDED_AT + 24 * HOUR,
};

function decideUnder(
  override: Override,
  changes: Partial<MarketInput> = {},
  previous: MarketLimit | null = null,
  decidedAt = DECIDED_AT,
): MarketLimit {
  const governance = { ...NO_GOVERNANCE, overrides: [override] };
  return decideMarket(largeMarket(changes), previous, context({ governance, decidedAt }));
}

function bound({ bounds }: MarketLimit) {
  return bounds.find(({ name }) => name === 'override');
}

describe('an override', () => {
  it('that is lower than the bounds binds at once, with its reason and who asked for it', () => {
    const limit = decideUnder(OVERRIDE);
    expect(limit.brackets[0].maxLeverage).toBe(5);
    expect(limit.bindingBound).toBe('override');
    expect(limit.reasons[0]).toBe('OVERRIDE_BINDS');
    expect(bound(limit)?.evidence).toMatchObject({ id: 'o1', reason: 'a fork tomorrow', requestedBy: 'ada' });
  });

  it('that is higher than the bounds does nothing unless it takes their place and a second person has approved it', () => {
    const wide = { ...OVERRIDE, maxLeverage: 40 };
    expect(decideUnder(wide).brackets[0].maxLeverage).toBe(20);
    expect(decideUnder({ ...wide, mayLoosen: true }).brackets[0].maxLeverage).toBe(20);
    const approved = decideUnder({ ...wide, mayLoosen: true, approvedBy: 'bob' });
    expect(approved.brackets[0].maxLeverage).toBe(40);
    expect(approved.bindingBound).toBe('override');
  });

  it('that takes the place of the bounds stays under the data and the ceiling of the class', () => {
    const wide = { ...OVERRIDE, maxLeverage: 400, mayLoosen: true, approvedBy: 'bob' };
    expect(decideUnder(wide).brackets[0].maxLeverage).toBe(100);
    expect(decideUnder(wide).bindingBound).toBe('policyCeiling');
    expect(decideUnder(wide, { quality: 'degrade' }).brackets[0].maxLeverage).toBe(10);
  });

  it('is over when it ends', () => {
    const limit = decideUnder(OVERRIDE, {}, null, OVERRIDE.expiresAt);
    expect(limit.brackets[0].maxLeverage).toBe(20);
    expect(bound(limit)).toMatchObject({ available: true, maxLeverage: null });
  });

  it.each([Number.NaN, 0.5, -3, Number.POSITIVE_INFINITY])(
    'of %d x is not used, and nothing loosens',
    (maxLeverage) => {
      const before = decideMarket(largeMarket({ shockModel: forecast('m', 0.08) }), null, context());
      const broken = { ...OVERRIDE, maxLeverage, expiresAt: DECIDED_AT + 1000 * HOUR };
      const limit = decideUnder(broken, {}, before, DECIDED_AT + 100 * HOUR);
      expect(bound(limit)?.unavailableReason).toContain('impossible leverage');
      expect(limit.brackets).toBe(before.brackets);
    },
  );
});

describe('a young market', () => {
  const young = { symbol: 'NEWUSDT', historyDays: 40 };

  it('may tighten and not loosen, until it is old enough', () => {
    const storm = decideMarket(largeMarket({ ...young, shockModel: forecast('m', 0.08) }), null, context());
    const later = context({ decidedAt: DECIDED_AT + 100 * HOUR });
    const held = decideMarket(largeMarket(young), storm, later);
    expect(held.brackets).toBe(storm.brackets);
    expect(held.reasons).toContain('YOUNG_LISTING');
    const grown = decideMarket(largeMarket({ ...young, historyDays: 90 }), storm, later);
    expect(grantsMore(grown.brackets, storm.brackets)).toBe(true);
    const first = decideMarket(largeMarket(young), null, context());
    const tightened = decideMarket(largeMarket({ ...young, shockModel: forecast('m', 0.08) }), first, later);
    expect(grantsMore(first.brackets, tightened.brackets)).toBe(true);
  });

  it('may be loosened by people', () => {
    const override = { ...OVERRIDE, symbol: 'NEWUSDT', maxLeverage: 15, mayLoosen: true, approvedBy: 'bob' };
    expect(decideUnder(override, young).brackets[0].maxLeverage).toBe(15);
    expect(decideUnder(override, young).reasons).not.toContain('YOUNG_LISTING');
  });
});

describe('asset classes', () => {
  const small: AssetClass = {
    name: 'small',
    members: ['DOGE', 'MEME*', '*UPUSDT', 'SOLUSDT'],
    maximumLeverage: 8,
    youngListingDays: 365,
    youngListingMaximumLeverage: 3,
    crowdingLowerCap: 0,
    crowdingUpperCap: 0,
  };
  const policy = { ...EXAMPLE_POLICY, classes: [...EXAMPLE_POLICY.classes, small] };

  it.each([
    ['BTCUSDT', 'major'],
    ['ETHUSDC', 'major'],
    ['ETHFIUSDT', 'rest'],
    ['BTCDOMUSDT', 'rest'],
    ['1000DOGEUSDT', 'small'],
    ['MEMEUSDT', 'small'],
    ['MEMEFIUSDT', 'small'],
    ['BTCUPUSDT', 'small'],
    ['SOLUSDT', 'small'],
    ['SOLUSDC', 'rest'],
    ['USDT', 'rest'],
    ['1INCHUSDT', 'rest'],
  ])('%s is %s', (symbol, name) => {
    expect(assetClassOf(symbol, policy).name).toBe(name);
  });

  it('have a ceiling and a youth of their own', () => {
    const doge = (changes: Partial<MarketInput>): MarketLimit =>
      decideMarket(largeMarket({ symbol: 'DOGEUSDT', ...changes }), null, context({ policy }));
    expect(doge({}).brackets[0].maxLeverage).toBe(8);
    expect(doge({}).bindingBound).toBe('policyCeiling');
    expect(doge({ historyDays: 300 }).brackets[0].maxLeverage).toBe(3);
    expect(doge({ historyDays: 300 }).bindingBound).toBe('listingAge');
  });

  it('that contradict themselves or each other are refused, each fault by name', () => {
    const faults = classFaults(
      [
        small,
        { ...small, members: ['SOLUSDT', 'dog e'] },
        {
          ...small,
          name: 'rest',
          members: [],
          maximumLeverage: 500,
          youngListingMaximumLeverage: 600,
          youngListingDays: Number.NaN,
          crowdingLowerCap: 5,
          crowdingUpperCap: 4,
        },
      ],
      100,
    ).join('\n');
    for (const fault of [
      'a name of its own',
      'SOLUSDT, which is in small already',
      'dog e, which is no symbol',
      'must have members',
      'maximumLeverage from 1',
      'youngListingMaximumLeverage from 1',
      'youngListingDays',
      'crowdingLowerCap < crowdingUpperCap',
    ])
      expect(faults).toContain(fault);
  });

  it('are written in a configuration as whole lists, and what is missing in one is named', () => {
    expect(policyFromInput({ classes: [small] }, AXES)).toMatchObject({
      faults: [],
      policy: { classes: [small] },
    });
    const { faults } = policyFromInput({ classes: [{ name: 'x', members: ['A'] }, 3] }, AXES);
    expect(faults).toContain('policy.classes.0.maximumLeverage is missing');
    expect(faults).toContain('policy.classes.1 must hold settings by name');
    const wrong = { bounds: { antiProcyclical: { option: 'hope' }, tailUse: 'sometimes' } };
    expect(policyFromInput(wrong, AXES).faults).toEqual([
      'policy.bounds.tailUse must be one of both, maintenance, none',
      'policy.bounds.antiProcyclical.option must be one of buffer, stressedWeight, longLookbackFloor, none',
    ]);
  });
});
