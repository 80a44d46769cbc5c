import { beforeEach, describe, expect, test } from 'vitest';
import { poisonFrom, selectBars } from '../../test/random-market.ts';
import { HistoricalPredictor } from '../forecast/classical.ts';
import type { LevelState } from '../forecast/level-tracking.ts';
import { bookHashHolds } from '../limits/chain.ts';
import { NO_GOVERNANCE, type Override } from '../limits/governance.ts';
import type { LimitBook, MarketLimit } from '../limits/types.ts';
import { Random } from '../random.ts';
import type { MarketHistory } from '../risk/bars.ts';
import type { Proposal } from './decision-cycle.ts';
import type { DecisionEngine } from './decision-engine.ts';
import type { LevelStore } from './ports.ts';
import {
  engineOn,
  HOUR,
  MemoryMarkets,
  NOW,
  type TestChampion,
  TestModel,
  threeMarkets,
  withValueAtRisk,
} from './test-market-data.ts';

let reader: MemoryMarkets;
let champion: TestChampion;
let engine: DecisionEngine;

beforeEach(() => {
  reader = new MemoryMarkets();
  champion = { predictor: new TestModel(), reason: '' };
  engine = engineOn(reader, champion);
});

async function decide(previous: LimitBook | null, now: number, by = engine): Promise<Proposal> {
  const proposal = await by.propose(previous, now, NO_GOVERNANCE);
  if (proposal === null) throw new Error('there was nothing to decide');
  return proposal;
}

function marketOf(book: LimitBook, symbol: string): MarketLimit {
  const market = book.markets.find((candidate) => candidate.symbol === symbol);
  if (market === undefined) throw new Error(`${symbol} is not in the book`);
  return market;
}

describe('the first decision', () => {
  test('covers every market on the bars that were closed by then, with the model that decided', async () => {
    const { book, facts } = await decide(null, NOW);
    expect(bookHashHolds(book)).toBe(true);
    expect(book).toMatchObject({ version: 1, decidedAt: NOW, asOf: NOW, model: 'shock-network@1' });
    expect(book.markets.map(({ symbol, asOf, quality }) => [symbol, asOf, quality])).toEqual([
      ['AUSDT', NOW, 'accept'],
      ['BUSDT', NOW, 'accept'],
      ['CUSDT', NOW, 'accept'],
    ]);
    for (const market of book.markets) {
      expect(market.model).toBe('shock-network@1');
      expect(market.forecasts).toHaveLength(32);
      expect(market.brackets[0].maxLeverage).toBeGreaterThan(1);
      const missing = market.bounds.filter(({ available }) => !available).map(({ name }) => name);
      expect(missing).toEqual(['antiProcyclical', 'crowding', 'marketWide', 'intrabar']);
    }
    expect(facts).toMatchObject({
      fallbackReason: null,
      lastObservationBySource: { random: NOW },
      coverage: [],
      origins: [],
      seen: expect.anything(),
    });
  });

  test('is not made while there are no markets: an empty book would look complete', async () => {
    reader.store([]);
    expect(await engine.propose(null, NOW, NO_GOVERNANCE)).toBeNull();
    reader.store(threeMarkets());
    expect((await decide(null, NOW)).book.markets).toHaveLength(3);
  });

  test('comes out the same to the bit in another engine, whatever that one decided before', async () => {
    const { book } = await decide(null, NOW);
    const other = engineOn(new MemoryMarkets(), { predictor: new TestModel(), reason: '' });
    expect((await decide(null, NOW, other)).book.hash).toBe(book.hash);
    const { book: second } = await decide(book, NOW + HOUR);
    const late = engineOn(new MemoryMarkets(), { predictor: new TestModel(), reason: '' });
    expect((await decide(book, NOW + HOUR, late)).book.hash).toBe(second.hash);
    const { book: changed } = await decide(
      null,
      NOW,
      engineOn(new MemoryMarkets(threeMarkets().slice(1)), champion),
    );
    expect(changed.hash).not.toBe(book.hash);
    expect(changed.inputsHash).not.toBe(book.inputsHash);
  });
});

describe('the next decision', () => {
  let book: LimitBook;
  beforeEach(async () => {
    ({ book } = await decide(null, NOW));
  });

  test('is not made while nothing has changed', async () => {
    for (const minutes of [0, 1, 59])
      expect(await engine.propose(book, NOW + minutes * 60_000, NO_GOVERNANCE)).toBeNull();
    expect(reader.loads).toBe(1);
  });

  test('is made when a bar closes, and rests on it', async () => {
    const { book: second } = await decide(book, NOW + HOUR);
    expect(second).toMatchObject({ version: 2, previousHash: book.hash, asOf: NOW + HOUR });
    expect(second.inputsHash).not.toBe(book.inputsHash);
  });

  test('is made when bars are imported', async () => {
    reader.store(reader.markets.map((history) => ({ ...history })));
    expect((await decide(book, NOW + 1)).book.version).toBe(2);
    expect(reader.loads).toBe(2);
  });

  test('is made when people change what holds a market, and when that ends by itself', async () => {
    const maxLeverage = 4;
    const override: Override = {
      ...{ id: 'override-1', symbol: 'AUSDT', maxLeverage, mayLoosen: false, reason: 'a test' },
      ...{ requestedBy: 'ann', requestedAt: NOW, approvedBy: null, approvedAt: null },
      expiresAt: NOW + 20 * 60_000,
    };
    const governance = { ...NO_GOVERNANCE, overrides: [override] };
    const second = await engine.propose(book, NOW + 1000, governance);
    expect(second?.book.markets[0].brackets[0].maxLeverage).toBe(maxLeverage);
    expect(await engine.propose(second?.book as LimitBook, NOW + 2000, governance)).toBeNull();
    // One that waits for an approval changes nothing.
    const waiting = { ...override, id: 'override-2', mayLoosen: true };
    const both = { ...NO_GOVERNANCE, overrides: [override, waiting] };
    expect(await engine.propose(second?.book as LimitBook, NOW + 3000, both)).toBeNull();
    const third = await engine.propose(second?.book as LimitBook, NOW + 20 * 60_000, both);
    expect(third?.book.version).toBe(3);
  });

  test('can be looked at under what is not in force; that changes nothing', async () => {
    const override = {
      ...{ id: 'override-1', symbol: 'AUSDT', maxLeverage: 2, mayLoosen: false, reason: 'a test' },
      ...{ requestedBy: 'ann', requestedAt: NOW, approvedBy: null, approvedAt: null, expiresAt: NOW + HOUR },
    };
    const governance = { ...NO_GOVERNANCE, overrides: [override] };
    const [seen, unknown] = await engine.preview(book, NOW + 1000, [
      { symbol: 'AUSDT', governance },
      { symbol: 'NOPEUSDT', governance },
    ]);
    expect(unknown).toBeNull();
    expect(await engine.propose(book, NOW + 1000, NO_GOVERNANCE)).toBeNull();
    const real = await engine.propose(book, NOW + 1000, governance);
    expect(seen).toEqual(real?.book.markets[0]);
    const fresh = engineOn(reader, champion);
    expect(await fresh.preview(book, NOW, [{ symbol: 'AUSDT', governance }])).toEqual([null]);
  });

  test('is made after an hour without a new bar, so that the validity does not run out', async () => {
    const known = reader.markets.map((history) => ({
      ...history,
      bars: selectBars(history.bars, (i) => history.bars.openTime[i] + HOUR <= NOW),
    }));
    const still = new MemoryMarkets(known);
    const other = engineOn(still, champion);
    const first = await decide(null, NOW, other);
    expect(await other.propose(first.book, NOW + HOUR - 1, NO_GOVERNANCE)).toBeNull();
    const renewed = await decide(first.book, NOW + HOUR, other);
    expect(renewed.book).toMatchObject({ version: 2, asOf: NOW, validUntil: first.book.validUntil + HOUR });
    expect(still.loads).toBe(1);
  });

  test('is made when another model is promoted, and when it is taken back', async () => {
    champion.predictor = new TestModel('shock-network@2');
    const { book: second } = await decide(book, NOW + 1);
    expect(second.model).toBe('shock-network@2');
    champion.predictor = null;
    champion.reason = 'no_champion';
    expect((await decide(second, NOW + 2)).book.model).toBeNull();
  });

  test('never goes back in time', async () => {
    champion.predictor = new TestModel('shock-network@2');
    expect((await decide(book, NOW - 5000)).book.decidedAt).toBe(book.decidedAt);
  });

  test('holds a market that is not stored any more, and says so', async () => {
    reader.store(threeMarkets().slice(1));
    const { book: second } = await decide(book, NOW + 1);
    expect(second.markets).toHaveLength(3);
    expect(marketOf(second, 'AUSDT').brackets).toEqual(marketOf(book, 'AUSDT').brackets);
    expect(marketOf(second, 'AUSDT').reasons).toContain('MARKET_MISSING');
    expect([second.degraded, second.reasons]).toEqual([true, expect.arrayContaining(['MARKET_MISSING'])]);
  });
});

describe('a decision that failed or was never published', () => {
  test('is made again by the next cycle, and not an hour later', async () => {
    const { book } = await decide(null, NOW);
    // The store refused it: the book in force is still none.
    const again = await decide(null, NOW + 1000);
    expect(again.book.version).toBe(1);
    expect(await engine.propose(again.book, NOW + 2000, NO_GOVERNANCE)).toBeNull();
    // Another process was first.
    expect((await decide(book, NOW + 3000)).book.version).toBe(2);
  });

  test('is made again where the forecast failed after the data were loaded', async () => {
    let isBroken = true;
    class Fragile extends HistoricalPredictor {
      override predict(...input: Parameters<HistoricalPredictor['predict']>) {
        if (isBroken) throw new Error('out of memory');
        return super.predict(...input);
      }
    }
    const fragile = engineOn(reader, champion, { historical: new Fragile() });
    await expect(fragile.propose(null, NOW, NO_GOVERNANCE)).rejects.toThrow('out of memory');
    isBroken = false;
    const { book } = await decide(null, NOW + 1000, fragile);
    isBroken = true;
    await expect(fragile.propose(book, NOW + HOUR, NO_GOVERNANCE)).rejects.toThrow('out of memory');
    isBroken = false;
    expect((await decide(book, NOW + HOUR + 1000, fragile)).book.asOf).toBe(NOW + HOUR);
    expect(reader.loads).toBe(2);
  });

  test('loses no count of coverage, and counts nothing twice', async () => {
    const { book } = await decide(null, NOW);
    const lost = await decide(book, NOW + HOUR);
    expect(lost.facts.coverage.map(({ horizonHours, observations }) => [horizonHours, observations])).toEqual(
      [0.95, 0.99, 0.995, 0.999].map(() => [1, 6]),
    );
    const again = await decide(book, NOW + HOUR + 1000);
    expect(again.facts.coverage).toEqual(lost.facts.coverage);
    const next = await decide(again.book, NOW + 2 * HOUR);
    expect(next.facts.coverage.map(({ observations }) => observations)).toEqual([6, 6, 6, 6]);
  });
});

describe('a shock model', () => {
  const classical = async (): Promise<LimitBook> =>
    (await decide(null, NOW, engineOn(new MemoryMarkets(), { predictor: null, reason: 'no_champion' }))).book;

  test.each(['no_champion', 'model_damaged', ''])(
    'that is not there (%j) leaves the classical forecasts, and says so',
    async (reason) => {
      champion.predictor = null;
      champion.reason = reason;
      const { book, facts } = await decide(null, NOW);
      expect([book.model, book.degraded, facts.fallbackReason]).toEqual([null, true, reason]);
      expect(book.reasons).toContain('MODEL_UNAVAILABLE');
      for (const market of book.markets) {
        expect(market.reasons).toContain('CLASSICAL_FALLBACK');
        expect(market.model).toBe('filtered@1');
        expect(market.shockProbability.long).toBeGreaterThan(0);
      }
      expect(await engine.propose(book, NOW + 1000, NO_GOVERNANCE)).toBeNull();
    },
  );

  test.each([
    ['throws', () => Promise.reject(new Error('shape mismatch'))],
    ['throws without a word', () => Promise.reject(new Error(''))],
    ['answers for other markets', async () => ({ ...(await new TestModel().predict(EMPTY_INPUT)) })],
  ])(
    'that %s leaves the classical forecasts, says so, and is not asked again each cycle',
    async (_, predict) => {
      champion.predictor = { id: 'shock-network@1', predict };
      const { book, facts } = await decide(null, NOW);
      expect([book.model, facts.fallbackReason]).toEqual([null, 'model_failed']);
      const expected = await classical();
      for (const market of book.markets) {
        expect(market.reasons).toContain('CLASSICAL_FALLBACK');
        expect(market.brackets).toEqual(marketOf(expected, market.symbol).brackets);
      }
      expect(await engine.propose(book, NOW + 1000, NO_GOVERNANCE)).toBeNull();
    },
  );

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 1e9])(
    'whose forecast of one market is %d falls back for that market only',
    async (value) => {
      const { book: sound } = await decide(null, NOW, engineOn(new MemoryMarkets(), champion));
      champion.predictor = new TestModel('shock-network@1', (batch) => withValueAtRisk(batch, 1, value));
      const { book } = await decide(null, NOW);
      expect(book.model).toBe('shock-network@1');
      expect(marketOf(book, 'BUSDT').reasons).toContain('CLASSICAL_FALLBACK');
      expect(marketOf(book, 'BUSDT').model).toBe('filtered@1');
      for (const symbol of ['AUSDT', 'CUSDT'])
        expect(marketOf(book, symbol)).toEqual(marketOf(sound, symbol));
    },
  );
});

const EMPTY_INPUT = { asOf: 0, markets: [], features: new Float64Array(0), featuresReady: new Uint8Array(0) };

describe('one market with bad bars', () => {
  type Damage = (history: MarketHistory) => MarketHistory;
  const damaged =
    (change: (bars: MarketHistory['bars']) => void): Damage =>
    (history) => {
      const bars = selectBars(history.bars, () => true);
      change(bars);
      return { ...history, bars };
    };
  const at = 900;

  test.each<[string, Damage]>([
    ['prices that are no numbers', damaged((bars) => bars.close.fill(Number.NaN, at, at + 3))],
    ['infinite prices', damaged((bars) => bars.high.fill(Number.POSITIVE_INFINITY, at, at + 3))],
    ['prices of 0', damaged((bars) => bars.low.fill(0, at, at + 3))],
    ['volumes that are no numbers', damaged((bars) => bars.quoteVolume.fill(Number.NaN, at, at + 3))],
    [
      'bars off the hourly grid',
      damaged((bars) => {
        bars.openTime[at] += 1234;
      }),
    ],
    [
      'bars in the wrong order',
      damaged((bars) => {
        bars.openTime[at] = bars.openTime[at - 5];
      }),
    ],
    [
      'a bar of the far future',
      damaged((bars) => {
        bars.openTime[at] = 8e15;
      }),
    ],
    [
      'a last bar of the far future',
      damaged((bars) => {
        bars.openTime[bars.length - 1] = 8e15;
      }),
    ],
    ['times that are no numbers', damaged((bars) => bars.openTime.fill(Number.NaN, at, at + 3))],
    ['wild prices', (history) => ({ ...history, bars: poisonFrom(history.bars, at, new Random(3)) })],
    ['prices beyond all measure', damaged((bars) => bars.high.fill(1e300, at, at + 3))],
    ['no usable bar', damaged((bars) => bars.close.fill(-1))],
    [
      'bars of five minutes',
      (history) => ({ ...history, bars: { ...history.bars, intervalMilliseconds: 300_000 } }),
    ],
    ['no bar', damaged((bars) => bars)],
  ])('%s: all others are decided as ever, and nothing is loosened', async (name, damage) => {
    const { book: before } = await decide(null, NOW);
    const sound = await decide(before, NOW + HOUR, engineOn(new MemoryMarkets(), champion));
    const [a, b, c] = threeMarkets();
    reader.store([a, name === 'no bar' ? { ...b, bars: selectBars(b.bars, () => false) } : damage(b), c]);
    const { book } = await decide(before, NOW + HOUR);
    expect(book.markets.map(({ symbol }) => symbol)).toEqual(['AUSDT', 'BUSDT', 'CUSDT']);
    expect(book.asOf).toBe(NOW + HOUR);
    for (const symbol of ['AUSDT', 'CUSDT'])
      expect(marketOf(book, symbol).brackets).toEqual(marketOf(sound.book, symbol).brackets);
    const [worst, whole] = [marketOf(book, 'BUSDT'), marketOf(before, 'BUSDT')];
    expect(worst.brackets[0].maxLeverage).toBeLessThanOrEqual(whole.brackets[0].maxLeverage);
    expect(bookHashHolds(book)).toBe(true);
  });
});

describe('levels of the forecasts', () => {
  const cellOf = (book: LimitBook, symbol: string): number =>
    marketOf(book, symbol).forecasts.find(
      ({ side, horizonHours, confidence }) => side === 'long' && horizonHours === 1 && confidence === 0.95,
    )?.valueAtRisk ?? 0;

  /** Books hour by hour by a model whose VaR is far too low; the markets are known from the beginning. */
  async function decideHours(hours: number, by: DecisionEngine): Promise<LimitBook> {
    let { book } = await decide(null, NOW, by);
    for (let hour = 1; hour <= hours; hour++) book = (await decide(book, NOW + hour * HOUR, by)).book;
    return book;
  }

  test('rise where losses exceed VaR too often, and go on after a restart where they were', async () => {
    const tooLow = new TestModel('shock-network@1', (batch) => withValueAtRisk(batch, 0, 1e-6));
    let kept: LevelState | null = null;
    const levels: LevelStore = {
      load: async () => kept,
      save: async (state) => {
        kept = state;
      },
    };
    const first = engineOn(reader, { predictor: tooLow, reason: '' }, { levels });
    await decideHours(6, first);
    expect(kept).not.toBeNull();
    const after = (kept as LevelState | null)?.markets.AUSDT;
    expect(after?.logs[0]).toBeGreaterThan(0);
    const second = engineOn(reader, { predictor: tooLow, reason: '' }, { levels });
    const { book } = await decide(null, NOW + 7 * HOUR, second);
    expect(cellOf(book, 'AUSDT')).toBeCloseTo(1e-6 * Math.exp(after?.logs[0] ?? 0), 12);
  });

  test('are not moved by what a classical predictor forecast in the model’s place', async () => {
    let saved = 0;
    const levels: LevelStore = {
      load: async () => null,
      save: async () => {
        saved++;
      },
    };
    await decideHours(6, engineOn(reader, { predictor: null, reason: 'no_champion' }, { levels }));
    expect(saved).toBe(0);
  });

  test('that cannot be read or kept stop no decision', async () => {
    const broken: LevelStore = {
      load: async () => {
        throw new Error('no such disk');
      },
      save: async () => {
        throw new Error('no such disk');
      },
    };
    const book = await decideHours(3, engineOn(reader, champion, { levels: broken }));
    expect(book.version).toBe(4);
  });
});
