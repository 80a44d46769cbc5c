import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grantsMore, mostConservativeBrackets, scheduleFaults } from './brackets.ts';
import { bookHashHolds, GENESIS_HASH } from './chain.ts';
import { decideBook, decideMarket } from './decide.ts';
import type { MarketInput, SourceForecast } from './market-input.ts';
import { policyHash } from './policy.ts';
import { absent, context, DECIDED_AT, EXAMPLE_POLICY, forecast, HOUR, largeMarket } from './test-inputs.ts';
import type { BoundName, LimitBook, MarketLimit, ReasonCode } from './types.ts';

const SHORT = absent('historical@1', 'only 100 hourly bars');
const NO_MODEL = absent('none', 'no champion');

function decide(changes: Partial<MarketInput>, previous: MarketLimit | null = null, at = DECIDED_AT) {
  return decideMarket(largeMarket(changes), previous, context({ decidedAt: at }));
}

function leverageOf(limit: MarketLimit, name: BoundName): number | null {
  return limit.bounds.find((bound) => bound.name === name)?.maxLeverage ?? null;
}

describe('one market', () => {
  it('of the size of bitcoin starts at about 20x, with the shock model inside the corridor', () => {
    const limit = decide({});
    expect(limit.brackets[0].maxLeverage).toBe(20);
    expect(limit.bindingBound).toBe('shockModel');
    expect(limit.reasons).toEqual(['SHOCK_MODEL_BINDS', 'FIRST_DECISION']);
    expect(leverageOf(limit, 'shockModel')).toBeCloseTo(1 / (0.023 * 0.8 * 2 * 1.22 + 0.0007), 0);
    expect(limit.forecasts).toHaveLength(32);
    expect(limit.shocks).toHaveLength(8);
    expect(limit.bounds.map((bound) => bound.name)).toEqual([
      'shockModel',
      'historical',
      'filtered',
      'tail',
      'stress',
      'antiProcyclical',
      'crowding',
      'marketWide',
      'intrabar',
      'liquidity',
      'listingAge',
      'dataQuality',
      'policyCeiling',
      'override',
      'governor',
    ]);
  });

  it.each<[string, Partial<MarketInput>, BoundName, ReasonCode, number]>([
    ['the model is too bold', { shockModel: forecast('m', 0.001) }, 'historical', 'HISTORICAL_BINDS', 20],
    [
      'the filtered bound is the tighter classical one',
      { shockModel: forecast('m', 0.001), filtered: forecast('filtered@1', 0.03) },
      'filtered',
      'FILTERED_BINDS',
      15,
    ],
    ['the model panics', { shockModel: forecast('m', 0.9) }, 'stress', 'STRESS_FLOOR_HOLDS', 1],
    ['there is no model', { shockModel: NO_MODEL }, 'historical', 'CLASSICAL_FALLBACK', 20],
    ['the listing is young', { historyDays: 40 }, 'listingAge', 'LISTING_AGE_BINDS', 10],
    ['the data are degraded', { quality: 'degrade' }, 'dataQuality', 'DATA_DEGRADED', 10],
    [
      'there is no classical bound',
      { historical: SHORT, filtered: SHORT, tail: SHORT },
      'stress',
      'HISTORY_SHORT',
      1,
    ],
    [
      'the tail is the tightest classical one',
      { shockModel: forecast('m', 0.001), tail: forecast('tail@1', 0.03) },
      'tail',
      'TAIL_BINDS',
      15,
    ],
    ['there is no liquidity', { liquidity: null }, 'dataQuality', 'DATA_REJECTED', 1],
    ['the data are rejected', { quality: 'reject' }, 'dataQuality', 'DATA_REJECTED', 1],
  ])('names the bound that binds when %s', (_, changes, binding, reason, leverage) => {
    const limit = decide(changes);
    expect(limit.bindingBound).toBe(binding);
    expect(limit.reasons).toContain(reason);
    expect(limit.brackets[0].maxLeverage).toBe(leverage);
    expect(scheduleFaults(limit.brackets)).toEqual([]);
  });

  it('is bound by the policy where the market is calmer than the house dares', () => {
    const calm = forecast('m', 0.001);
    const limit = decide({ shockModel: calm, historical: calm, filtered: calm, tail: calm });
    expect(limit.bindingBound).toBe('policyCeiling');
    expect(limit.brackets[0].maxLeverage).toBe(EXAMPLE_POLICY.maximumLeverage);
  });

  it('never loosens in doubt: not with stale or degraded data, without the model or without a classical bound', () => {
    const storm = forecast('m', 0.08);
    const before = decide({ shockModel: storm });
    const later = DECIDED_AT + 1000 * HOUR;
    for (const doubt of [
      { stale: true },
      { quality: 'degrade' as const },
      { shockModel: NO_MODEL },
      { historical: SHORT },
      { filtered: SHORT },
      { tail: SHORT },
    ]) {
      const limit = decide(doubt, before, later);
      expect(grantsMore(limit.brackets, before.brackets)).toBe(false);
    }
    expect(grantsMore(decide({}, before, later).brackets, before.brackets)).toBe(true);
  });

  it('holds what was in force while its data are rejected', () => {
    const before = decide({});
    const limit = decide(
      { quality: 'reject', qualityFindings: ['crossed marks'] },
      before,
      DECIDED_AT + HOUR,
    );
    expect(limit.brackets).toBe(before.brackets);
    expect(limit.governor.move).toBe('hold');
    expect(limit.governor.changedAt).toBe(before.governor.changedAt);
    expect(limit.reasons).toContain('DATA_REJECTED');
  });

  it('says that the governor binds while it keeps a market below its bounds', () => {
    const before = decide({ shockModel: forecast('m', 0.08) });
    const limit = decide({}, before, DECIDED_AT + HOUR);
    expect(limit.bindingBound).toBe('governor');
    expect(limit.reasons).toContain('GOVERNOR_HOLDS');
    expect(limit.governor.targetMaxLeverage).toBe(20);
    expect(leverageOf(limit, 'governor')).toBe(before.brackets[0].maxLeverage);
  });

  it('has a shock probability that rises with the leverage granted', () => {
    const capped = { ...EXAMPLE_POLICY, maximumLeverage: 5 };
    const at5 = decideMarket(largeMarket(), null, context({ policy: capped }));
    const at20 = decide({});
    expect(at20.shockProbability.long).toBeGreaterThan(at5.shockProbability.long ?? Number.NaN);
    expect(at20.shockProbability.long).toBeGreaterThan(0.005);
    expect(at20.shockProbability.long).toBeLessThan(0.05);
  });
});

describe('whatever numbers come in', () => {
  const badNumber = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1e-300, 1e300);
  const spoil = (source: SourceForecast, index: number, value: number): SourceForecast => ({
    ...source,
    valueAtRisk: source.valueAtRisk.with(index, value),
    expectedShortfall: source.expectedShortfall.with(31 - index, value),
    shockThreshold: source.shockThreshold.with(index % 8, value),
  });
  const badInput: fc.Arbitrary<MarketInput> = fc
    .record({
      spoiled: fc.subarray(['shockModel', 'historical', 'filtered'] as const),
      index: fc.integer({ min: 0, max: 31 }),
      value: badNumber,
      liquidity: fc.oneof(
        fc.constant(null),
        fc.record({ hourlyVolume: badNumber, dailyVolatility: badNumber }),
        fc.constant({ hourlyVolume: 1e6, dailyVolatility: 0.1 }),
      ),
      excursion: badNumber,
      historyDays: badNumber,
      asOf: badNumber,
    })
    .map(({ spoiled, index, value, liquidity, excursion, historyDays, asOf }) => {
      const input = largeMarket({ liquidity, historyDays, asOf });
      return {
        ...input,
        ...Object.fromEntries(spoiled.map((name) => [name, spoil(input[name], index, value)])),
        stress: { ...input.stress, excursion: input.stress.excursion.with(index % 8, excursion) },
      };
    });

  it('the market gets a valid schedule, is not loosened by them, and the others are decided as without it', () => {
    const good = largeMarket({ symbol: 'ETHUSDT' });
    const first = decideBook([largeMarket(), good], null, context());
    const alone = decideBook([good], null, context());
    fc.assert(
      fc.property(badInput, (bad) => {
        const fresh = decideBook([bad, good], null, context());
        expect(bookHashHolds(fresh)).toBe(true);
        expect(scheduleFaults(fresh.markets[0].brackets)).toEqual([]);
        expect(fresh.markets[1]).toEqual(alone.markets[0]);
        const later = decideBook([bad, good], first, context({ decidedAt: DECIDED_AT + HOUR }));
        expect(grantsMore(later.markets[0].brackets, first.markets[0].brackets)).toBe(false);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('a forecast with an impossible number is absent, and says why', () => {
    const limit = decide({ shockModel: spoil(forecast('m', 0.02), 3, Number.NaN) });
    const bound = limit.bounds.find(({ name }) => name === 'shockModel');
    expect(bound?.available).toBe(false);
    expect(bound?.unavailableReason).toContain('impossible number');
    expect(limit.reasons).toContain('CLASSICAL_FALLBACK');
    expect(limit.model).toBe('filtered@1');
  });
});

describe('a book', () => {
  const inputs = [largeMarket({ symbol: 'ETHUSDT' }), largeMarket()];
  const first = decideBook(inputs, null, context());
  const next = (changes: readonly MarketInput[], previous: LimitBook = first): LimitBook =>
    decideBook(changes, previous, context({ decidedAt: DECIDED_AT + HOUR }));

  it('follows the one before, is sealed, and carries what is needed to replay it', () => {
    expect(first.version).toBe(1);
    expect(first.previousHash).toBe(GENESIS_HASH);
    const second = next(inputs);
    expect(second.version).toBe(2);
    expect(second.previousHash).toBe(first.hash);
    expect(bookHashHolds(second)).toBe(true);
    expect(second.policyHash).toBe(policyHash(EXAMPLE_POLICY));
    expect(second.validUntil - second.decidedAt).toBe(EXAMPLE_POLICY.validityHours * HOUR);
    expect(second.markets.map((market) => market.symbol)).toEqual(['BTCUSDT', 'ETHUSDT']);
  });

  it('is the same to the bit for the same input, in whatever order the markets come', () => {
    expect(decideBook([...inputs].reverse(), null, context()).hash).toBe(first.hash);
  });

  it('holds markets that are gone from the input, degraded and with a reason', () => {
    const second = next([largeMarket()]);
    const held = second.markets[1];
    expect(held.symbol).toBe('ETHUSDT');
    expect(held.brackets).toBe(first.markets[1].brackets);
    expect(held.reasons).toContain('MARKET_MISSING');
    expect(held.governor.move).toBe('hold');
    expect(second.degraded).toBe(true);
    expect(second.reasons).toContain('MARKET_MISSING');
  });

  it('is degraded by stale data and by a missing model, not by a market of moderate quality', () => {
    expect(next([largeMarket({ stale: true })], first).reasons).toContain('DATA_STALE');
    expect(decideBook([largeMarket()], null, context({ model: null })).degraded).toBe(true);
    expect(decideBook([largeMarket({ quality: 'degrade' })], null, context()).degraded).toBe(false);
  });

  it('gives a market that is new in a later book its first schedule at once', () => {
    const second = next([...inputs, largeMarket({ symbol: 'NEWUSDT', historyDays: 10 })]);
    const added = second.markets.find((market) => market.symbol === 'NEWUSDT');
    expect(added?.governor.move).toBe('initial');
    expect(added?.brackets[0].maxLeverage).toBe(10);
  });

  it('of no market is a valid book', () => {
    const empty = decideBook([], null, context());
    expect(bookHashHolds(empty)).toBe(true);
    expect(empty.markets).toEqual([]);
  });

  it('calls the fallback schedule conservative for a reason: nothing valid grants less', () => {
    const fallback = mostConservativeBrackets();
    expect(scheduleFaults(fallback)).toEqual([]);
    for (const market of first.markets) expect(grantsMore(fallback, market.brackets)).toBe(false);
  });
});
