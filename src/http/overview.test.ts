import { afterEach, beforeEach, expect, test } from 'vitest';
import { DECIDED_AT, HOUR } from '../limits/test-inputs.ts';
import { marketInputs, OPERATOR, TestService } from './test-service.ts';

let service: TestService;

beforeEach(async () => {
  service = await TestService.start({ books: 0 });
});

afterEach(() => service.stop());

/** Bars that closed so many hours after those of the first book; tails that lower leverage from the tenth hour on. */
function inputsAt(hours: number) {
  const tail = hours < 10 ? 0.008 : 0.03;
  return marketInputs(tail).map((input) => ({ ...input, asOf: DECIDED_AT + (hours - 1) * HOUR }));
}

async function publishHours(hours: number): Promise<void> {
  for (let i = 0; i < hours; i++) await service.publish(inputsAt(i), DECIDED_AT + i * HOUR);
}

// biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came.
async function overviewOf(symbol: string): Promise<any> {
  const { json } = await service.call('/v1/overview');
  return json.markets.find((market: { symbol: string }) => market.symbol === symbol);
}

test('has what is in force of each market, and its last week in steps that are parallel to the times', async () => {
  await publishHours(30);
  const { json } = await service.call('/v1/overview');
  const limits = (await service.call('/v1/limits')).json;
  const { version, hash, validUntil, degraded, simulated, reasons, model } = limits;
  expect(json).toMatchObject({ version, hash, validUntil, degraded, simulated, reasons, model, total: 5 });
  expect(json.times).toHaveLength(84);
  const end = DECIDED_AT + 28 * HOUR;
  expect(json.times.at(-1)).toBe(new Date(end).toISOString());
  expect(json.times[0]).toBe(new Date(end - 166 * HOUR).toISOString());
  for (const [m, market] of json.markets.entries()) {
    expect([market.symbol, market.leverage.length, market.closes.length]).toEqual([
      limits.markets[m].symbol,
      84,
      84,
    ]);
    expect(market.maxLeverage).toBe(limits.markets[m].maxLeverage);
    expect(market.leverage.at(-1)).toBe(market.maxLeverage);
  }
  const bitcoin = await overviewOf('BTCUSDT');
  const first = (await service.store.bookByVersion(1))?.markets.find(({ symbol }) => symbol === 'BTCUSDT');
  expect(bitcoin.dayAgoMaxLeverage).toBe(first?.brackets[0].maxLeverage);
  expect(bitcoin.dayAgoMaxLeverage).toBeGreaterThan(bitcoin.maxLeverage);
  // Before the first decision nothing is known.
  expect(bitcoin.leverage.slice(0, 69)).toEqual(Array(69).fill(null));
  expect(bitcoin.leverage[70]).not.toBeNull();
});

test('has closes where the bars of the decision were read', async () => {
  await service.publish(inputsAt(0), DECIDED_AT);
  expect(await overviewOf('BTCUSDT')).toMatchObject({ close: 100, dayAgoClose: null });
  // The facts of the tests know no bar of this market.
  expect(await overviewOf('AURUSDT')).toMatchObject({ close: null, simulated: true });
});

test('is the same from memory as from the store, and follows the next publication', async () => {
  await publishHours(12);
  const first = await service.call('/v1/overview');
  await service.restart();
  expect((await service.call('/v1/overview')).text).toBe(first.text);
  await service.publish(inputsAt(12), DECIDED_AT + 12 * HOUR);
  const next = await service.call('/v1/overview', { headers: { 'if-none-match': first.headers.etag } });
  expect([next.status, next.json.version]).toEqual([200, 13]);
  await service.restart();
  expect((await service.call('/v1/overview')).text).toBe(next.text);
});

test('says at once what people froze and overrode, and the answer before is no longer valid', async () => {
  await service.publish();
  const before = await service.call('/v1/overview');
  expect(await overviewOf('BTCUSDT')).toMatchObject({ frozen: false, overridden: false });
  await service.post('/v1/freeze', { symbol: 'BTCUSDT', reason: 'a test' }, OPERATOR);
  const wanted = { symbol: 'ETHUSDT', maxLeverage: 2, reason: 'a test', hours: 1 };
  expect((await service.post('/v1/overrides', wanted, OPERATOR)).status).toBe(200);
  const etag = before.headers.etag;
  expect((await service.call('/v1/overview', { headers: { 'if-none-match': etag } })).status).toBe(200);
  expect(await overviewOf('BTCUSDT')).toMatchObject({ frozen: true, overridden: false });
  expect(await overviewOf('ETHUSDT')).toMatchObject({ frozen: false, overridden: true });
});

test('is refused before the first book, with a time to come again', async () => {
  const { status, json, headers } = await service.call('/v1/overview');
  expect([status, json.code, headers['retry-after']]).toEqual([503, 'NOTHING_PUBLISHED', '5']);
});

test('is degraded once the validity of the book is over', async () => {
  await service.publish();
  const book = service.plane.currentBook();
  service.clock.set((book?.validUntil ?? 0) + 1);
  const { json, headers } = await service.call('/v1/overview');
  expect(json.degraded).toBe(true);
  expect(headers.warning).toMatch(/^110 /);
});
