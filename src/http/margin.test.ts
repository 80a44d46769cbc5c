import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isoTime } from '../clock.ts';
import { OPERATOR, sha256Of, TestService } from './test-service.ts';

let service: TestService;
let empty: TestService;

beforeAll(async () => {
  [service, empty] = [await TestService.start(), await TestService.start({ books: 0 })];
});

afterAll(async () => {
  await service.stop();
  await empty.stop();
});

/** Brackets of [floor, cap, leverage, maintenance rate in ppm, amount], as Binance published them in 2021. */
function brackets(...rows: readonly (readonly [string, string, number, number, string])[]) {
  return rows.map(([notionalFloor, notionalCap, maxLeverage, maintenanceMarginRatePpm, amount], i) => ({
    bracket: i + 1,
    notionalFloor,
    notionalCap,
    maxLeverage,
    initialMarginRatePpm: Math.ceil(1_000_000 / maxLeverage),
    maintenanceMarginRatePpm,
    maintenanceAmount: amount,
  }));
}

const BINANCE = {
  BTCUSDT: brackets(
    ['0', '50000', 125, 4_000, '0'],
    ['50000', '250000', 100, 5_000, '50'],
    ['250000', '1000000', 50, 10_000, '1300'],
    ['1000000', '10000000', 20, 25_000, '16300'],
    ['10000000', '20000000', 10, 50_000, '266300'],
  ),
  ETHUSDT: brackets(
    ['0', '10000', 100, 5_000, '0'],
    ['10000', '100000', 75, 6_500, '15'],
    ['100000', '500000', 50, 10_000, '365'],
    ['500000', '1000000', 25, 20_000, '5365'],
    ['1000000', '2000000', 10, 50_000, '35365'],
    ['2000000', '5000000', 5, 100_000, '135365'],
  ),
};
const EXAMPLE = {
  account: {
    accountId: 'example',
    userId: 'user-17',
    marginMode: 'cross',
    equity: '1535443.01',
    positions: [
      { symbol: 'ETHUSDT', side: 'long', quantity: '3683.979', entryPrice: '1456.84' },
      { symbol: 'BTCUSDT', side: 'long', quantity: '109.488', entryPrice: '32481.98' },
    ],
  },
  prices: { ETHUSDT: '1335.18', BTCUSDT: '31967.27' },
  brackets: BINANCE,
};

function simulate(body: unknown, at = service) {
  return at.post('/v1/margin/simulate', body);
}

const held = { symbol: 'BTCUSDT', side: 'long', quantity: '5', entryPrice: '100' };
function one(changes: object = {}, account: object = {}) {
  return {
    account: {
      ...{ accountId: 'a', userId: 'u', marginMode: 'cross', equity: '30', positions: [held] },
      ...account,
    },
    ...changes,
  };
}

describe('the margin simulator', () => {
  test("answers Binance's example to the cent, in exact decimals, before there are any limits", async () => {
    const { status, json, text } = await simulate(EXAMPLE, empty);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      accountId: 'example',
      status: 'healthy',
      settlementAsset: 'quote',
      equity: '1030895.55638',
      initialMargin: '1158756.639132',
      maintenanceMargin: '427713.319566',
      availableBalance: '0',
      plan: [],
      planIsEnough: true,
      caps: [],
      version: null,
      degraded: true,
    });
    const [eth, btc] = json.positions;
    expect(eth).toMatchObject({
      symbol: 'ETHUSDT',
      side: 'long',
      notional: '4918775.08122',
      unrealisedProfit: '-448192.88514',
      maintenanceMargin: '356512.508122',
      liquidationProbability: null,
    });
    expect(Number(eth.liquidationPrice).toFixed(2)).toBe('1153.26');
    expect(Number(btc.liquidationPrice).toFixed(2)).toBe('26316.89');
    expect(json.marginRatio).toBeCloseTo(427_713.319566 / 1_030_895.55638, 11);
    expect(text).not.toMatch(/\d(0{6,}|9{6,})\d/);
  });

  test('takes limits in force, and marks that are known, where nothing is given', async () => {
    const { json } = await simulate(one());
    const { version } = (await service.call('/v1/limits')).json;
    const table = (await service.call('/v1/markets/BTCUSDT/brackets?notional=500')).json;
    const [bracket] = table.maintenance;
    // The newest bar closed at 100.
    expect(json).toMatchObject({
      version,
      equity: '30',
      effectiveLeverage: { gross: 16.6666666667, net: 16.6666666667, betaWeighted: null },
      maintenanceMargin: String((500 * bracket.maintenanceMarginRatePpm) / 1e6),
      caps: [{ symbol: 'BTCUSDT', maxLeverage: 20, bindingReason: 'ACCOUNT_AGE_UNKNOWN' }],
      liquidationHorizonHours: 24,
    });
    const [position] = json.positions;
    expect(position.mark).toBe('100');
    expect(position.liquidationProbability).toBeGreaterThan(0);
    expect(position.probabilityPerLeverage).toBeGreaterThan(0);
    expect(Number(position.liquidationPrice)).toBeLessThan(100);
    expect(Number(position.bankruptcyPrice)).toBe(94);
  });

  test('takes a posted price as soon as it counts', async () => {
    const { clock } = service;
    clock.set(clock.now() + 1000);
    const line = JSON.stringify({ symbol: 'SOLUSDT', price: '101.5', time: isoTime(clock.now()) });
    await service.call('/v1/prices', {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', ...OPERATOR },
      body: line,
    });
    const { json } = await simulate(one({}, { positions: [{ ...held, symbol: 'SOLUSDT' }] }));
    expect(json.positions[0]).toMatchObject({ mark: '101.5', notional: '507.5', unrealisedProfit: '7.5' });
  });

  test('tells what to close, of each margin unit, and weights leverage by betas that are given', async () => {
    const positions = [
      held,
      { ...held, symbol: 'ETHUSDT', side: 'net', quantity: '-2', isolatedMargin: '1' },
    ];
    const own = brackets(['0', '1000000', 10, 50_000, '0']);
    const { json } = await simulate(
      one({ brackets: { BTCUSDT: own, ETHUSDT: own }, betas: { BTCUSDT: 1, ETHUSDT: 2 } }, { positions }),
    );
    expect(json).toMatchObject({ status: 'backstop', marginRatio: 10, equity: '31' });
    expect(json.effectiveLeverage.net).toBeCloseTo(300 / 31, 9);
    expect(json.effectiveLeverage.betaWeighted).toBeCloseTo(100 / 31, 9);
    expect(json.positions).toMatchObject([
      { marginUnit: 'cross', status: 'marginCall', isolatedMargin: null },
      { marginUnit: 'isolated', status: 'backstop', isolatedMargin: '1', side: 'short' },
    ]);
    expect(json.plan).toMatchObject([
      { symbol: 'BTCUSDT', side: 'long', marginUnit: 'cross', reason: 'FREES_MOST_MARGIN' },
      { symbol: 'ETHUSDT', side: 'short', marginUnit: 'isolated' },
    ]);
    expect(json.planIsEnough).toBe(true);
    for (const { reduceNotional, reduceQuantity, slices } of json.plan) {
      expect(Number(reduceQuantity) * 100).toBeCloseTo(Number(reduceNotional), 6);
      expect(slices).toEqual([{ notional: reduceNotional, afterSeconds: 0 }]);
    }
  });

  test('measures coin-margined contracts in their coin', async () => {
    const positions = [{ symbol: 'BTCUSD_PERP', side: 'long', quantity: '100', entryPrice: '25000' }];
    const { json } = await simulate(
      one(
        {
          prices: { BTCUSD_PERP: '25000' },
          brackets: { BTCUSD_PERP: brackets(['0', '1000000', 125, 4_000, '0']) },
        },
        { equity: '0.05', positions },
      ),
    );
    expect(json).toMatchObject({ settlementAsset: 'BTC', equity: '0.05', maintenanceMargin: '0.0016' });
    expect(json.positions[0]).toMatchObject({ notional: '10000' });
    expect(Number(json.positions[0].liquidationPrice).toFixed(2)).toBe('22311.11');
    const linear = { contracts: { BTCUSDT: { kind: 'inverse', contractSize: '100' } } };
    expect((await simulate(one(linear))).json).toMatchObject({ settlementAsset: 'BTC' });
  });

  test('holds the account to the margin rate that its user chose', async () => {
    await service.put('/v1/users/careful', { ownInitialMarginRatePpm: 500_000 });
    const of = async (userId: string) => (await simulate(one({}, { userId }))).json;
    expect(await of('careful')).toMatchObject({ initialMargin: '250', availableBalance: '0' });
    expect(Number((await of('u')).initialMargin)).toBeLessThan(30);
  });

  test('changes nothing, and needs no key that may write', async () => {
    const reader = await TestService.start({
      keys: [{ name: 'r', role: 'reader', sha256: sha256Of('reader-key') }],
    });
    const before = await reader.store.auditLength();
    expect((await simulate(one(), reader)).status).toBe(401);
    const answer = await reader.post('/v1/margin/simulate', one(), { authorization: 'Bearer reader-key' });
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(await reader.store.auditLength()).toBe(before);
    await reader.stop();
  });

  test('takes tables without what follows from the rest', async () => {
    const short = BINANCE.BTCUSDT.map(
      ({ notionalFloor, notionalCap, maxLeverage, maintenanceMarginRatePpm }) => {
        return { notionalFloor, notionalCap, maxLeverage, maintenanceMarginRatePpm };
      },
    );
    const { json } = await simulate({ ...EXAMPLE, brackets: { ...BINANCE, BTCUSDT: short } });
    expect(json.maintenanceMargin).toBe('427713.319566');
  });
});

describe('what the simulator cannot take is refused by name', () => {
  const [first, second] = BINANCE.BTCUSDT;
  const inverse = { kind: 'inverse', contractSize: '100' };
  test.each([
    ['a price of 0', one({ prices: { BTCUSDT: '0' } }), 'INPUT_INVALID', /the price of BTCUSDT is 0/],
    ['a price that is none', one({ prices: { BTCUSDT: '-1' } }), 'INPUT_INVALID', /prices.BTCUSDT/],
    ['a market that is none', one({ prices: { btc: '1' } }), 'INPUT_INVALID', /prices.btc/],
    [
      'an absurd quantity',
      one({}, { positions: [{ ...held, quantity: '9'.repeat(15) }] }),
      'INPUT_INVALID',
      /as large as that/,
    ],
    [
      'a quantity of a hundred digits',
      one({}, { positions: [{ ...held, quantity: '9'.repeat(100) }] }),
      'INPUT_INVALID',
      /quantity/,
    ],
    [
      'an unknown market',
      one({}, { positions: [{ ...held, symbol: 'NOPEUSDT' }] }),
      'MARKET_UNKNOWN',
      /NOPEUSDT/,
    ],
    [
      'a side twice',
      one({}, { positions: [held, { ...held, side: 'net' }] }),
      'INPUT_INVALID',
      /two long positions of BTCUSDT/,
    ],
    ['no isolated margin', one({}, { marginMode: 'isolated' }), 'INPUT_INVALID', /isolatedMargin/],
    [
      'a side and a sign',
      one({}, { positions: [{ ...held, side: 'short', quantity: '-1' }] }),
      'INPUT_INVALID',
      /short position of BTCUSDT has a quantity below 0/,
    ],
    [
      'a contract of no size',
      one({ contracts: { BTCUSDT: { ...inverse, contractSize: '0' } } }),
      'INPUT_INVALID',
      /contractSize of BTCUSDT/,
    ],
    [
      'two assets',
      one({ contracts: { BTCUSDT: inverse } }, { positions: [held, { ...held, symbol: 'ETHUSDT' }] }),
      'INPUT_INVALID',
      /BTCUSDT settles in BTC and ETHUSDT in the quote asset/,
    ],
    [
      'a gap between brackets',
      one({ brackets: { BTCUSDT: [first, { ...second, notionalFloor: '60000' }] } }),
      'INPUT_INVALID',
      /bracket 2 starts at 60000, but the one before ends at 50000/,
    ],
    [
      'a jump of the margin',
      one({ brackets: { BTCUSDT: [first, { ...second, maintenanceAmount: '0' }] } }),
      'INPUT_INVALID',
      /jumps by 50 at the floor of bracket 2/,
    ],
    [
      'a first floor above 0',
      one({ brackets: { BTCUSDT: [{ ...second, bracket: 1 }] } }),
      'INPUT_INVALID',
      /bracket 1 must start at 0/,
    ],
    [
      'a wrong number',
      one({ brackets: { BTCUSDT: [{ ...first, bracket: 3 }] } }),
      'INPUT_INVALID',
      /numbered 3/,
    ],
    [
      'no leverage',
      one({ brackets: { BTCUSDT: [{ notionalFloor: '0', notionalCap: '1', maintenanceMarginRatePpm: 1 }] } }),
      'INPUT_INVALID',
      /neither initialMarginRatePpm nor maxLeverage/,
    ],
    ['no bracket', one({ brackets: { BTCUSDT: [] } }), 'INPUT_INVALID', /brackets.BTCUSDT/],
    ['a word that is not known', one({ price: {} }), 'INPUT_INVALID', /price/],
  ])('%s', async (_, body, code, message) => {
    const { json } = await simulate(body);
    expect([json.code, json.detail]).toEqual([code, expect.stringMatching(message)]);
    expect(json.remedy.length).toBeGreaterThan(10);
  });

  test('a market whose price or whose brackets nobody knows, with the way out', async () => {
    const unpriced = await simulate(one({ brackets: BINANCE }), empty);
    expect(unpriced.json).toMatchObject({
      code: 'INPUT_INVALID',
      remedy: 'Give one: "prices":{"BTCUSDT":"…"}.',
    });
    const unlimited = await simulate(one({ prices: { BTCUSDT: '1' } }), empty);
    expect([unlimited.status, unlimited.json.code]).toEqual([503, 'NOTHING_PUBLISHED']);
    expect(unlimited.json.remedy).toContain('"brackets":{"BTCUSDT":[…]}');
    const { json } = await simulate(one({}, { positions: [{ ...held, symbol: 'NOPEUSDT' }] }));
    expect(json.remedy).toContain('"brackets":{"NOPEUSDT":[…]}');
  });
});
