import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isoTime } from '../clock.ts';
import type { ControlReads } from '../control/reads.ts';
import { HOUR } from '../limits/test-inputs.ts';
import type { RouteAnswer, RouteContext } from './routes.ts';
import { marketInputs, OPERATOR, TestService } from './test-service.ts';
import { CHECK_ROUTE } from './user-routes.ts';

const NDJSON = { ...OPERATOR, 'content-type': 'application/x-ndjson' };
const OLD = isoTime(Date.UTC(2020, 0, 1));
const MARKETS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
const ORDER = { userId: 'holder', symbol: 'BTCUSDT', side: 'long', notional: '1000', leverage: 5 };

let service: TestService;
let tick: number;

beforeEach(async () => {
  service = await TestService.start();
  tick = 0;
  await service.put('/v1/users/holder', { accountCreatedAt: OLD });
  await put('holder', 'holder', [
    ['BTCUSDT', '50'],
    ['ETHUSDT', '-20'],
  ]);
});

afterEach(() => service.stop());

type Quantities = readonly (readonly [symbol: string, quantity: string, isolatedMargin?: string])[];

function accountOf(userId: string, quantities: Quantities, equity = '10000') {
  const positions = quantities.map(([symbol, quantity, isolatedMargin = null]) => {
    return { symbol, side: 'net', quantity, entryPrice: '100', isolatedMargin };
  });
  return { userId, marginMode: 'cross', equity, positions };
}

async function put(accountId: string, userId: string, quantities: Quantities, equity?: string) {
  const { status } = await service.put(`/v1/accounts/${accountId}`, accountOf(userId, quantities, equity));
  expect(status).toBe(200);
}

/** A price that the guard believes: near to the one before, and later. */
async function price(symbol: string, value: string) {
  service.clock.advance(1000 + tick++);
  const line = JSON.stringify({ symbol, price: value, time: isoTime(service.clock.now()) });
  const { json } = await service.post('/v1/prices', line, NDJSON);
  expect(json).toMatchObject({ accepted: 1 });
}

/** The same object to whoever asks, but for what is given instead. */
function instead<T extends object>(from: T, changes: Partial<T>): T {
  return new Proxy(from, {
    get: (target, name) => {
      if (name in changes) return changes[name as keyof T];
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** What the same handler says where nothing is kept: it asks for the accounts, and makes everything anew. */
async function slowly(order: object): Promise<string> {
  const { plane, clock } = service;
  const accounts = instead<ControlReads['accounts']>(plane.accounts, { keptReadings: () => null });
  const reads = instead<ControlReads>(plane, { accounts });
  const body = CHECK_ROUTE.body?.parse(order);
  try {
    const answer = await CHECK_ROUTE.handle({ reads, clock } as unknown as RouteContext, {
      ...{ params: {}, query: {}, body, caller: null, headers: {} },
    });
    return JSON.stringify((answer as RouteAnswer & { readonly json: unknown }).json);
  } catch (thrown) {
    return (thrown as { readonly code: string }).code;
  }
}

/** What the service says, an error by its code. */
async function check(order: object = ORDER): Promise<string> {
  const { status, text, json } = await service.post('/v1/checks', order);
  return status === 200 ? text : json.code;
}

function isKept(userId = 'holder'): boolean {
  return service.plane.accounts.keptReadings(userId) !== null;
}

describe('accounts that are kept for checks', () => {
  test('are asked for once, and answer with the same bytes', async () => {
    expect(isKept()).toBe(false);
    const first = await check();
    const kept = service.plane.accounts.keptReadings('holder');
    expect(kept).toHaveLength(1);
    expect(await check()).toBe(first);
    expect(await check({ ...ORDER, symbol: 'SOLUSDT', hedge: true })).toBe(
      await slowly({ ...ORDER, symbol: 'SOLUSDT', hedge: true }),
    );
    expect(service.plane.accounts.keptReadings('holder')).not.toBeNull();
  });

  test('stay with one user while another changes', async () => {
    await check();
    await put('somebody', 'somebody', [['SOLUSDT', '1']]);
    await price('SOLUSDT', '100.5');
    await service.put('/v1/users/somebody', { maxLeverage: 3 });
    expect(isKept()).toBe(true);
  });

  const CHANGES: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['its positions', () => put('holder', 'holder', [['BTCUSDT', '51']])],
    ['its collateral', () => put('holder', 'holder', [['BTCUSDT', '50']], '9000')],
    [
      'its positions in a batch',
      () =>
        service.post(
          '/v1/accounts/batch',
          JSON.stringify({ accountId: 'holder', ...accountOf('holder', [['BTCUSDT', '7']]) }),
          NDJSON,
        ),
    ],
    ['another account of the user', () => put('second', 'holder', [['BTCUSDT', '1000000000']])],
    ['the user that it is of', () => put('holder', 'heir', [['BTCUSDT', '50']])],
    ['the price of its market', () => price('BTCUSDT', '100.5')],
    ['the price of another market that it holds', () => price('ETHUSDT', '100.5')],
    [
      'its status',
      async () => {
        await put('holder', 'holder', [['BTCUSDT', '50']], '60');
        await price('BTCUSDT', '100.2');
      },
    ],
    ['the book', () => service.publish()],
    ['the limits in the book', () => service.publish(marketInputs(0.02))],
    ['a market that is frozen, with the book that follows', () => frozen()],
    ['what the house allows the user', () => service.put('/v1/users/holder', { maxLeverage: 2 })],
    [
      'the margin that the user chose',
      () => service.put('/v1/users/holder', { accountCreatedAt: OLD, ownInitialMarginRatePpm: 500_000 }),
    ],
    [
      'correlations',
      async () => {
        const matrix = Float64Array.of(1, 0.9, 0.9, 1);
        service.plane.correlated({ asOf: service.clock.now(), markets: ['BTCUSDT', 'ETHUSDT'], matrix });
      },
    ],
    ['the time, beyond the validity of the limits', async () => service.clock.advance(100 * HOUR)],
  ];
  test.each(CHANGES)('are not, where it changes %s', async (_, change) => {
    const before = await check();
    expect(await check()).toBe(before);
    await change();
    const after = await check();
    expect(after).not.toBe(before);
    expect(after).toBe(await slowly(ORDER));
    expect(await check()).toBe(after);
  });

  test('are not, where a market that is asked for and not held has another price', async () => {
    await put('empty', 'empty', [], '300');
    const order = { ...ORDER, userId: 'empty', symbol: 'SOLUSDT' };
    const before = await check(order);
    await price('SOLUSDT', '101');
    const after = await check(order);
    expect(after).not.toBe(before);
    expect(after).toBe(await slowly(order));
  });

  test('are not, where an override of the user ends', async () => {
    const end = service.clock.now() + HOUR;
    const override = { overrideMaxLeverage: 2, overrideExpiresAt: isoTime(end), overrideReason: 'a test' };
    await service.put('/v1/users/holder', { accountCreatedAt: OLD, ...override });
    expect(JSON.parse(await check())).toMatchObject({ maxLeverage: 2, bindingReason: 'USER_OVERRIDE' });
    service.clock.set(end);
    expect(JSON.parse(await check()).bindingReason).not.toBe('USER_OVERRIDE');
  });

  test('are not given out while a book is on its way to the accounts', async () => {
    await check();
    const published = service.publish(marketInputs(0.02));
    await published;
    expect(isKept()).toBe(false);
    expect(await check()).toBe(await slowly(ORDER));
  });
});

async function frozen(): Promise<void> {
  const { status } = await service.post('/v1/freeze', { symbol: 'BTCUSDT', reason: 'a test' }, OPERATOR);
  expect(status).toBe(200);
  await service.publish(marketInputs(0.001));
}

const anyQuantity = fc.integer({ min: -900, max: 900 }).map((tenths) => String(tenths / 10));
const anyPositions = fc
  .uniqueArray(
    fc.record({
      symbol: fc.constantFrom(...MARKETS, 'RUNEUSDT'),
      quantity: anyQuantity.filter((quantity) => quantity !== '0'),
      isolatedMargin: fc.option(fc.integer({ min: 1, max: 5000 }).map(String), { freq: 4, nil: undefined }),
    }),
    { maxLength: 4, selector: ({ symbol, quantity }) => `${symbol} ${quantity.startsWith('-')}` },
  )
  .map((list) =>
    list.map(({ symbol, quantity, isolatedMargin }) =>
      isolatedMargin === undefined
        ? ([symbol, quantity] as const)
        : ([symbol, quantity, isolatedMargin] as const),
    ),
  );
const anyOrder = fc.record(
  {
    userId: fc.constantFrom('holder', 'holder', 'heir', 'stranger'),
    symbol: fc.constantFrom(...MARKETS, 'AURUSDT', 'RUNEUSDT'),
    side: fc.constantFrom('long', 'short'),
    notional: fc.double({ min: 0, max: 7, noNaN: true }).map((log) => (10 ** log).toFixed(2)),
    leverage: fc.constantFrom(1, 2, 3.5, 5, 10, 20, 100),
    accountId: fc.constantFrom('holder', 'second'),
    reduceOnly: fc.boolean(),
    hedge: fc.boolean(),
    price: fc.constantFrom('90', '100', '101.25', '0'),
  },
  { requiredKeys: ['userId', 'symbol', 'side', 'notional', 'leverage'] },
);
const anyChange = fc.oneof(
  fc.tuple(
    fc.constantFrom('holder', 'second'),
    fc.constantFrom('holder', 'heir'),
    anyPositions,
    fc.constantFrom('100', '1000', '25000.5'),
  ),
  fc.record({ symbol: fc.constantFrom(...MARKETS), moved: fc.integer({ min: -3, max: 3 }) }),
  fc.constantFrom('book', 'correlations', 'user', 'nothing' as const),
);
type Change = typeof anyChange extends fc.Arbitrary<infer T> ? T : never;

async function make(change: Change): Promise<void> {
  if (change === 'book') await service.publish(marketInputs(0.008 + (tick++ % 5) / 1000));
  else if (change === 'correlations') {
    const rho = 0.1 * (tick++ % 9);
    const matrix = Float64Array.from({ length: 9 }, (_, i) => (i % 4 === 0 ? 1 : rho));
    service.plane.correlated({ asOf: service.clock.now(), markets: MARKETS, matrix });
  } else if (change === 'user')
    await service.put('/v1/users/holder', { accountCreatedAt: OLD, maxLeverage: 1 + (tick++ % 20) });
  else if (change === 'nothing') service.clock.advance(1);
  else if ('symbol' in change) await price(change.symbol, String(100 + change.moved / 10));
  else {
    const [accountId, userId, quantities, equity] = change;
    await put(accountId, userId, quantities, equity);
  }
}

test('whatever changes between checks, they say what they would say if nothing were kept', async () => {
  let [fromMemory, ofAccounts] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(anyChange, fc.array(anyOrder, { minLength: 1, maxLength: 3 })), {
        minLength: 1,
        maxLength: 6,
      }),
      async (steps) => {
        for (const [change, orders] of steps) {
          await make(change);
          for (const order of orders) {
            const first = await check(order);
            if (isKept(order.userId)) fromMemory++;
            const again = await check(order);
            expect([first, again]).toEqual(Array(2).fill(await slowly(order)));
            if (first.startsWith('{') && JSON.parse(first).accountId !== null) ofAccounts++;
          }
        }
      },
    ),
    { seed: 20240601, numRuns: 120 },
  );
  expect(fromMemory).toBeGreaterThan(200);
  expect(ofAccounts).toBeGreaterThan(200);
}, 120_000);
