import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { maintenanceOf } from '../../limits/brackets.ts';
import { NO_GOVERNANCE } from '../../limits/governance.ts';
import { DEFAULT_POLICY } from '../../limits/policy.ts';
import type { Bound, LimitBook, MarketLimit } from '../../limits/types.ts';
import type { OpenInterestSeries } from '../../risk/bars.ts';
import type { Proposal } from '../decision-cycle.ts';
import type { DecisionEngine } from '../decision-engine.ts';
import { limitsEvent } from '../feed/feed-event.ts';
import { replay } from '../replay.ts';
import { engineOn, HOUR, MemoryMarkets, NOW, TestModel, threeMarkets } from '../test-market-data.ts';
import {
  type ActivityCode,
  type ActivityReport,
  LiveActivity,
  NO_ACTIVITY,
  type ObservedActivity,
} from './live-activity.ts';

const [SYMBOL] = threeMarkets().map(({ symbol }) => symbol);
const LOWER = DEFAULT_POLICY.crowdingLowerCap;
const UPPER = DEFAULT_POLICY.crowdingUpperCap;

let reader: MemoryMarkets;
let engine: DecisionEngine;

beforeEach(() => {
  reader = new MemoryMarkets();
  engine = engineOn(reader, { predictor: new TestModel(), reason: '' });
});

function observed(changes: Partial<ObservedActivity> = {}): ObservedActivity {
  return { symbol: SYMBOL, openInterest: 1e9, depth: null, observedAt: NOW, ...changes };
}

function openInterest(quoteNotional: number, observedAt = NOW): ActivityReport {
  return new Map([[SYMBOL, { openInterest: { quoteNotional, observedAt }, depth: null }]]);
}

function depthOf(quoteNotional: number, observedAt = NOW): ActivityReport {
  return new Map([[SYMBOL, { openInterest: null, depth: { quoteNotional, bandRate: 0.001, observedAt } }]]);
}

function series(...entries: readonly (readonly [time: number, quoteNotional: number])[]): OpenInterestSeries {
  return {
    length: entries.length,
    time: Float64Array.from(entries, ([time]) => time),
    quoteNotional: Float64Array.from(entries, ([, quoteNotional]) => quoteNotional),
  };
}

async function decide(
  activity: ActivityReport,
  previous: LimitBook | null = null,
  now = NOW,
): Promise<Proposal> {
  // A fresh edition makes the engine decide all markets.
  reader.store(reader.markets);
  const proposal = await engine.propose(previous, now, NO_GOVERNANCE, undefined, null, activity);
  if (proposal === null) throw new Error('nothing was decided');
  return proposal;
}

function market({ book }: Proposal, symbol = SYMBOL): MarketLimit {
  const found = book.markets.find((one) => one.symbol === symbol);
  if (found === undefined) throw new Error(`no market ${symbol}`);
  return found;
}

function bound(limit: MarketLimit, name: Bound['name']): Bound {
  return limit.bounds.find((one) => one.name === name) as Bound;
}

function leverageAt({ brackets }: MarketLimit, notional: number): number {
  return brackets.find(({ notionalCap }) => notional <= notionalCap)?.maxLeverage ?? 0;
}

describe('what is told live of a market', () => {
  let activity: LiveActivity;
  let rejected: ReadonlyMap<ActivityCode, number>;
  let newestAt: number | null;

  beforeEach(async () => {
    activity = new LiveActivity(DEFAULT_POLICY.bounds, {
      activityTaken: (at, codes) => {
        newestAt = at;
        rejected = codes;
      },
    });
    activity.published((await decide(NO_ACTIVITY)).book);
  });

  test('is missing until it is told, each part on its own', () => {
    expect(activity.report(NOW).size).toBe(0);
    expect(activity.take([observed()], NOW)).toEqual([null]);
    const openInterest = { quoteNotional: 1e9, observedAt: NOW };
    expect([...activity.report(NOW)]).toEqual([[SYMBOL, { openInterest, depth: null }]]);
    const depth = { quoteNotional: 5e6, bandRate: 0.002 };
    const at = NOW + 1000;
    expect(activity.take([observed({ openInterest: null, depth, observedAt: at })], at)).toEqual([null]);
    expect(activity.report(at).get(SYMBOL)).toEqual({ openInterest, depth: { ...depth, observedAt: at } });
    expect(newestAt).toBe(at);
    activity.take([null], at);
    expect(newestAt).toBeNull();
  });

  test('has a code where it has no effect, and does not keep the rest from counting', () => {
    const depth = { quoteNotional: 5e6, bandRate: 0.002 };
    const cases: readonly (readonly [ObservedActivity | null, ActivityCode | null])[] = [
      [observed(), null],
      [null, 'ACTIVITY_INVALID'],
      [observed({ openInterest: null }), 'ACTIVITY_INVALID'],
      [observed({ observedAt: Number.NaN }), 'ACTIVITY_INVALID'],
      [observed({ symbol: 'NOPEUSDT' }), 'MARKET_UNKNOWN'],
      [observed({ observedAt: NOW + 5001 }), 'ACTIVITY_FUTURE'],
      [observed({ openInterest: 0, observedAt: NOW + 1 }), 'ACTIVITY_IMPLAUSIBLE'],
      [observed({ openInterest: -1, observedAt: NOW + 1 }), 'ACTIVITY_IMPLAUSIBLE'],
      [observed({ openInterest: Number.NaN, observedAt: NOW + 1 }), 'ACTIVITY_IMPLAUSIBLE'],
      [observed({ openInterest: 1.1e15, observedAt: NOW + 1 }), 'ACTIVITY_IMPLAUSIBLE'],
      [observed({ depth: { ...depth, bandRate: 1 }, observedAt: NOW + 1 }), 'ACTIVITY_IMPLAUSIBLE'],
      [observed({ depth: { ...depth, quoteNotional: -1 }, observedAt: NOW + 1 }), 'ACTIVITY_IMPLAUSIBLE'],
      [observed({ observedAt: NOW - 6 * HOUR - 1 }), 'ACTIVITY_STALE'],
      [observed({ observedAt: NOW - 1 }), 'ACTIVITY_OUT_OF_ORDER'],
      [observed({ openInterest: 2e9 }), 'ACTIVITY_OUT_OF_ORDER'],
      [observed(), 'ACTIVITY_REPEATED'],
      [observed({ openInterest: 2e9, observedAt: NOW + 2 }), null],
    ];
    expect(
      activity.take(
        cases.map(([one]) => one),
        NOW,
      ),
    ).toEqual(cases.map(([, code]) => code));
    expect(Object.fromEntries(rejected)).toEqual({
      ...{ ACTIVITY_INVALID: 3, MARKET_UNKNOWN: 1, ACTIVITY_FUTURE: 1, ACTIVITY_IMPLAUSIBLE: 6 },
      ...{ ACTIVITY_STALE: 1, ACTIVITY_OUT_OF_ORDER: 2, ACTIVITY_REPEATED: 1 },
    });
    // A clock that is a little ahead: for a decision it was so now at the latest.
    expect(activity.report(NOW).get(SYMBOL)?.openInterest).toEqual({ quoteNotional: 2e9, observedAt: NOW });
  });

  test('of an order book that is empty is told on: to drop it would leave a deeper one in force', () => {
    const depth = { quoteNotional: 0, bandRate: 0.002 };
    expect(activity.take([observed({ openInterest: null, depth })], NOW)).toEqual([null]);
    expect(activity.report(NOW).get(SYMBOL)?.depth?.quoteNotional).toBe(0);
  });

  test('stays with its market over publications, and goes with it', async () => {
    activity.take([observed()], NOW);
    const { book } = await decide(NO_ACTIVITY);
    activity.published(book);
    expect(activity.report(NOW).size).toBe(1);
    activity.published({ ...book, markets: book.markets.slice(1) });
    activity.published(book);
    expect(activity.report(NOW).size).toBe(0);
  });
});

describe('open interest in a decision', () => {
  test('raises initial margin beyond the caps, says so, moves no maintenance margin, and comes out the same in a replay', async () => {
    const calm = await decide(openInterest(LOWER));
    const crowded = await decide(openInterest(0.9 * UPPER), calm.book, NOW + 1000);
    const [before, after] = [market(calm), market(crowded)];
    expect(after.brackets[0].maxLeverage).toBeLessThan(before.brackets[0].maxLeverage);
    expect(after.reasons).toContain('CROWDING_BINDS');
    expect(bound(after, 'crowding').evidence).toMatchObject({ openInterest: 0.9 * UPPER, observedAt: NOW });
    expect([maintenanceOf(after), after.announced]).toEqual([maintenanceOf(before), before.announced]);
    expect(market(crowded, 'BUSDT').brackets).toEqual(market(calm, 'BUSDT').brackets);
    if (crowded.inputs === undefined) throw new Error('no inputs were kept');
    expect(replay(crowded.book, calm.book, crowded.inputs).difference).toBeNull();
  });

  test('is the newest that is stored or told by the time of the decision; of the future nothing is known', async () => {
    reader.markets = reader.markets.map((history) => ({
      ...history,
      openInterest:
        history.symbol === SYMBOL ? series([NOW - 2 * HOUR, 1e9], [NOW - HOUR, 2e9], [NOW + 1, 9e9]) : null,
    }));
    const known = async (activity: ActivityReport): Promise<unknown> =>
      bound(market(await decide(activity)), 'crowding').evidence.openInterest;
    expect(await known(NO_ACTIVITY)).toBe(2e9);
    expect(await known(openInterest(3e9))).toBe(3e9);
    expect(await known(openInterest(3e9, NOW - 90 * 60_000))).toBe(2e9);
    // Of the same time the one that asks for more.
    expect(await known(openInterest(3e9, NOW - HOUR))).toBe(3e9);
    expect(await known(openInterest(1e9, NOW - HOUR))).toBe(2e9);
    const none = market(await decide(openInterest(3e9)), 'BUSDT');
    expect(bound(none, 'crowding').available).toBe(false);
  });

  test('is told by the feed where no table changes', async () => {
    const first = await decide(openInterest(1e9));
    const second = await decide(openInterest(2e9 + 0.5), first.book, NOW + 1000);
    const { changed, activity } = JSON.parse(limitsEvent(second.book, first.book).body);
    expect(changed).toEqual([]);
    expect(activity).toMatchObject([{ symbol: SYMBOL, openInterest: '2000000000' }]);
  });

  test('that is lost, as by a restart, loosens nothing, and as little does one that has become too old', async () => {
    const crowded = await decide(openInterest(0.9 * UPPER));
    for (const lost of [NO_ACTIVITY, openInterest(LOWER, NOW - 7 * HOUR)]) {
      let book = crowded.book;
      for (const hours of [1, 30, 60]) {
        const later = await decide(lost, book, NOW + hours * HOUR);
        expect(market(later).brackets).toEqual(market(crowded).brackets);
        expect(market(later).reasons).toContain('BOUND_INPUT_MISSING');
        book = later.book;
      }
    }
  });

  test('never loosens a limit by being more, whatever was known before', async () => {
    // With fewer brackets than rungs a choice is made among them, and two choices need not be one below the other.
    const policy = { ...DEFAULT_POLICY, maximumBrackets: DEFAULT_POLICY.leverageLadder.length + 1 };
    engine = engineOn(reader, { predictor: new TestModel(), reason: '' }, { policy });
    const notional = fc.double({ min: 7, max: 11, noNaN: true }).map((exponent) => 10 ** exponent);
    await fc.assert(
      fc.asyncProperty(
        notional,
        // A fall to less than a tenth is taken for a fault, and what was known before counts.
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        fc.double({ min: 1, max: 30, noNaN: true }),
        fc.boolean(),
        async (first, share, factor, hasPrevious) => {
          const previous = hasPrevious ? (await decide(openInterest(first, NOW - HOUR))).book : null;
          const less = market(await decide(openInterest(first * share), previous, NOW + 1000));
          const more = market(await decide(openInterest(first * share * factor), previous, NOW + 1000));
          for (const { notionalCap } of [...less.brackets, ...more.brackets])
            expect(leverageAt(more, notionalCap)).toBeLessThanOrEqual(leverageAt(less, notionalCap));
          // What open positions are held to is the table in force, whatever new orders are held to.
          if (previous === null) return;
          expect(maintenanceOf(more)).toEqual(maintenanceOf(less));
          expect(more.announced ?? null).toEqual(less.announced ?? null);
        },
      ),
      { numRuns: 25, seed: 31, endOnFailure: true },
    );
  });
});

describe('the order book in a decision', () => {
  test('is evidence of the liquidity bound, only tightens, and is told on with the volume', async () => {
    const without = await decide(NO_ACTIVITY);
    const thin = await decide(depthOf(20));
    expect(bound(market(thin), 'liquidity').evidence).toMatchObject({
      ...{ depthNotional: 20, depthBandRate: 0.001, depthObservedAt: NOW, depthIgnored: '' },
    });
    for (const { notionalCap } of market(without).brackets)
      expect(leverageAt(market(thin), notionalCap)).toBeLessThanOrEqual(
        leverageAt(market(without), notionalCap),
      );
    expect(market(thin).brackets).not.toEqual(market(without).brackets);
    expect(thin.facts.liquidity?.[SYMBOL]?.depth).toMatchObject({ quoteNotional: 20 });
  });

  test.each([
    ['is empty', 0, NOW],
    ['is too old', 20, NOW - 48 * HOUR],
  ])('that %s does not count, loosens nothing, and is told to nobody', async (_, quoteNotional, at) => {
    const thin = await decide(depthOf(20, NOW - HOUR));
    const later = await decide(depthOf(quoteNotional, at), thin.book, NOW + 26 * HOUR);
    expect(bound(market(later), 'liquidity').evidence.depthIgnored).toMatch(/empty|older/);
    expect(market(later).brackets).toEqual(market(thin).brackets);
    expect(market(later).reasons).toContain('BOUND_INPUT_MISSING');
    expect(later.facts.liquidity?.[SYMBOL]).toMatchObject({ hourlyVolume: expect.any(Number) });
    expect(later.facts.liquidity?.[SYMBOL]?.depth).toBeUndefined();
  });
});
