import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isoTime } from '../clock.ts';
import { marketInputs, OPERATOR_KEY, sha256Of, TestService } from '../http/test-service.ts';
import { DECIDED_AT, HOUR } from '../limits/test-inputs.ts';
import { DAY_MILLISECONDS, HOUR_MILLISECONDS } from '../units.ts';
import type { PlimsollClient } from './client.ts';
import { closeAll, connect, until } from './test-client.ts';

let service: TestService;

beforeEach(async () => {
  service = await TestService.start({ books: 0 });
  await publish(0, 0.008);
});
afterEach(async () => {
  closeAll();
  await service.stop();
});

/** With open interest in every other market, so that every limit of users is there somewhere. */
function publish(hours: number, tail: number) {
  const at = DECIDED_AT + hours * HOUR;
  const inputs = marketInputs(tail).map((market, i) =>
    i % 2 === 0
      ? { ...market, openInterest: { quoteNotional: 3e6 + hours * 1e5 + 0.7, observedAt: at } }
      : market,
  );
  return service.publish(inputs, at);
}

/** What the server says of the same question. */
async function serverCap(userId: string, symbol: string, notional: string) {
  const path = `/v1/users/${userId}/caps?symbol=${symbol}&notional=${notional}`;
  const { caps, version } = (await service.call(path)).json;
  const { reduceOnly, maxNotional, ...cap } = caps[0];
  expect(reduceOnly).toBeNull();
  return { ...cap, maxNotional: Number(maxNotional), version };
}

const leverage = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.double({ min: 1, max: 60, noNaN: true }));
const userInput = fc
  .record(
    {
      maxLeverage: leverage,
      accountCreatedAt: fc
        .integer({ min: -60, max: 0 })
        .map((days) => isoTime(DECIDED_AT + days * DAY_MILLISECONDS)),
      ownInitialMarginRatePpm: fc.integer({ min: 1, max: 1_000_000 }),
      notionalCoef: fc
        .integer({ min: 1, max: 1_000_000 })
        .map((micros) => `0.${String(micros).padStart(6, '0')}`)
        .filter((text) => text !== '0.1000000'),
      experienceClass: fc.constantFrom('beginner', 'regular', 'professional'),
      override: leverage,
    },
    { requiredKeys: [] },
  )
  .map(({ override, ...rest }) => ({
    ...rest,
    ...(override === undefined
      ? {}
      : {
          overrideMaxLeverage: override,
          overrideExpiresAt: isoTime(service.clock.now() + 2 * HOUR_MILLISECONDS),
          overrideReason: 'a test',
        }),
  }));

test('client and server answer the same for the same version: random users, notionals and leverages', async () => {
  const client = await connect(service.url, service.clock);
  const edges =
    service.plane.currentBook()?.markets.flatMap(({ brackets }) => brackets.map((b) => b.notionalCap)) ?? [];
  const notional = fc.oneof(
    fc.constantFrom(...edges).chain((edge) => fc.constantFrom(`${edge}`, `${edge}.000001`, `${edge - 1}`)),
    fc.integer({ min: 0, max: 400_000 }).map(String),
    fc.double({ min: 0, max: 20, noNaN: true }).map((power) => (2 ** power * 10).toFixed(2)),
  );
  const question = fc.record({
    ...{ symbol: fc.constantFrom(...client.markets), notional, leverage, reduceOnly: fc.boolean() },
  });
  let serial = 0;
  await fc.assert(
    fc.asyncProperty(
      userInput,
      fc.array(question, { minLength: 3, maxLength: 3 }),
      async (input, questions) => {
        const id = `user-${serial++}`;
        expect((await service.put(`/v1/users/${id}`, input)).status).toBe(200);
        const limits = await client.user(id);
        for (const { symbol, notional, leverage, reduceOnly } of questions) {
          expect(client.cap(symbol, notional, id)).toEqual(await serverCap(id, symbol, notional));
          expect(client.cap(symbol, notional, limits)).toEqual(client.cap(symbol, notional, id));
          const order = { symbol, notional, leverage, reduceOnly };
          const { json } = await service.post('/v1/checks', { ...order, userId: id, side: 'long' });
          const { clampedNotional, ...check } = client.check(order, id);
          expect(json).toMatchObject({ ...check, maxNotional: String(check.maxNotional) });
          expect(clampedNotional).toBe(Math.ceil(Number(json.clampedNotional)));
        }
      },
    ),
    { seed: 20240601, numRuns: 150 },
  );
});

test('what is held and traded follows from book to book, also where no table changes', async () => {
  const client = await connect(service.url, service.clock);
  const old = { accountCreatedAt: 0 };
  await service.put('/v1/users/old', { accountCreatedAt: isoTime(0) });
  const before = client.market('BTCUSDT')?.openInterest;
  for (let hours = 1; hours <= 4; hours++) {
    const { version } = await publish(hours, hours < 3 ? 0.008 : 0.03);
    await until(() => client.version === version);
    for (const symbol of client.markets)
      for (const notional of ['0', '1000', '290000', '310000', '340000'])
        expect(client.cap(symbol, notional, old)).toEqual(await serverCap('old', symbol, notional));
  }
  expect(client.market('BTCUSDT')?.openInterest).not.toBe(before);
});

test('a user without a policy is one of whom nothing is known; one who is not loaded gets nothing yet', async () => {
  const client = await connect(service.url, service.clock);
  expect(client.cap('BTCUSDT', 1000)).toEqual(await serverCap('stranger', 'BTCUSDT', '1000'));
  expect(client.cap('BTCUSDT', 1000, 'stranger')).toMatchObject({
    maxLeverage: 0,
    bindingReason: 'USER_NOT_LOADED',
  });
  await until(() => client.cap('BTCUSDT', 1000, 'stranger').maxLeverage > 0);
  expect(client.cap('BTCUSDT', 1000, 'stranger')).toEqual(client.cap('BTCUSDT', 1000));
  await service.put('/v1/users/stranger', { maxLeverage: 2 });
  client.forgetUser('stranger');
  await client.user('stranger');
  expect(client.cap('BTCUSDT', 1000, 'stranger').bindingReason).toBe('HOUSE_LIMIT');
});

test('what is cut for a user at the service counts here as soon as the feed tells it', async () => {
  const client = await connect(service.url, service.clock, { userSeconds: 86_400 });
  await service.put('/v1/users/ada', { accountCreatedAt: isoTime(0), maxLeverage: 9 });
  await client.user('ada');
  expect(client.cap('BTCUSDT', 1000, 'ada').maxLeverage).toBe(9);
  await service.put('/v1/users/bob', { maxLeverage: 3 });
  await service.put('/v1/users/ada', { accountCreatedAt: isoTime(0), maxLeverage: 2 });
  await until(() => client.cap('BTCUSDT', 1000, 'ada').maxLeverage === 2);
  expect(client.cap('BTCUSDT', 1000, 'ada')).toEqual(await serverCap('ada', 'BTCUSDT', '1000'));
  // Nobody has asked for him here.
  expect(client.cap('BTCUSDT', 1000, 'bob').bindingReason).toBe('USER_NOT_LOADED');
});

test('limits that change by time alone change here too: an account that grows up, an override that ends', async () => {
  const client = await connect(service.url, service.clock);
  const { newAccountDays } = service.plane.policy();
  const now = service.clock.now();
  const grown = { accountCreatedAt: now - newAccountDays * DAY_MILLISECONDS + 10_000 };
  const younger = { accountCreatedAt: grown.accountCreatedAt + 15_000 };
  const held = { accountCreatedAt: 0, overrideMaxLeverage: 2, overrideExpiresAt: now + 10_000 };
  const reasons = () =>
    [grown, younger, held].map((user) =>
      client.cap('ETHUSDT', 1000, user).reasons.filter((one) => one !== 'BRACKET' && one !== 'VOLUME_SHARE'),
    );
  expect(reasons()).toEqual([['NEW_ACCOUNT'], ['NEW_ACCOUNT'], ['USER_OVERRIDE']]);
  service.clock.advance(10_000);
  expect(client.cap('SOLUSDT', 1000, younger).reasons).toContain('NEW_ACCOUNT');
  expect(reasons()).toEqual([[], ['NEW_ACCOUNT'], []]);
});

test('keys are sent, traces are passed on, and a wrong key is told at once', async () => {
  const key = { name: 'reader', role: 'reader', sha256: sha256Of(OPERATOR_KEY) } as const;
  const closed = await TestService.start({ keys: [key] });
  const seen: string[] = [];
  const told: string[] = [];
  const spy: typeof fetch = (input, init) => {
    seen.push(new Headers(init?.headers).get('traceparent') ?? '');
    return fetch(input, init);
  };
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const client = await connect(closed.url, closed.clock, {
    ...{ key: OPERATOR_KEY, traceparent: () => traceparent, fetch: spy },
    observe: (name, attributes, seconds) =>
      told.push(`${name} ${JSON.stringify(attributes)} ${seconds >= 0}`),
  });
  expect(client.version).toBe(1);
  expect(seen).toEqual([traceparent, traceparent]);
  await until(() => told.length >= 2);
  expect(told).toContain('plimsoll.client.book {"kind":"snapshot","version":1,"markets":5} true');
  await expect(connect(closed.url, closed.clock, { key: 'wrong' })).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
  await expect(connect(closed.url, closed.clock)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  await closed.stop();
});

test('nothing that is asked makes an answer throw', async () => {
  const client: PlimsollClient = await connect(service.url, service.clock);
  const anything = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true });
  fc.assert(
    fc.property(anything, anything, anything, anything, (symbol, notional, leverage, user) => {
      const cap = client.cap(symbol as string, notional as number, user as object);
      expect(cap.maxLeverage >= 0).toBe(true);
      const order = { symbol: 'BTCUSDT', notional, leverage } as never;
      for (const check of [client.check(order, user as object), client.check(symbol as never)])
        expect(typeof check.allowed).toBe('boolean');
    }),
    { seed: 3, numRuns: 2000 },
  );
  expect(client.cap('NOPEUSDT', 1)).toMatchObject({ maxLeverage: 0, bindingReason: 'MARKET_UNKNOWN' });
  expect(client.cap('BTCUSDT', -1).bindingReason).toBe('INPUT_INVALID');
});
