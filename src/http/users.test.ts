import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isoTime } from '../clock.ts';
import { DEFAULT_POLICY } from '../limits/policy.ts';
import { DAY_MILLISECONDS } from '../units.ts';
import { OPERATOR, OPERATOR_KEY, TestService } from './test-service.ts';

let service: TestService;
const OLD = isoTime(Date.UTC(2020, 0, 1));

beforeAll(async () => {
  service = await TestService.start();
});

afterAll(() => service.stop());

describe('writing a user policy', () => {
  test.each([
    ['no key', {}, 401, 'UNAUTHENTICATED'],
    ['a key of another scheme', { authorization: `Basic ${OPERATOR_KEY}` }, 401, 'UNAUTHENTICATED'],
    ['an empty key', { authorization: 'Bearer ' }, 401, 'UNAUTHENTICATED'],
    ['a wrong key', { authorization: `Bearer ${OPERATOR_KEY}x` }, 403, 'FORBIDDEN'],
    ['the hash instead of the key', { authorization: `Bearer ${'a'.repeat(64)}` }, 403, 'FORBIDDEN'],
  ])('with %s is refused and changes nothing', async (_, headers, status, code) => {
    const answer = await service.put('/v1/users/guarded', { maxLeverage: 2 }, headers);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
    expect(answer.headers['www-authenticate'] !== undefined).toBe(status === 401);
    expect(service.plane.userNow('guarded')).toBeNull();
    expect(await service.store.user('guarded')).toBeNull();
  });

  test('is refused without a key before the body is looked at', async () => {
    const answer = await service.put('/v1/users/guarded', '{"maxLeverage":', {});
    expect(answer.status).toBe(401);
  });

  test('with the key is durable, audited and in force for the next read', async () => {
    const body = {
      maxLeverage: 7.5,
      accountCreatedAt: OLD,
      ownInitialMarginRatePpm: 20_000,
      notionalCoef: '0.75',
      experienceClass: 'professional',
      overrideMaxLeverage: 9,
      overrideExpiresAt: isoTime(service.clock.now() + DAY_MILLISECONDS),
      overrideReason: 'a complaint is looked at',
    };
    const answer = await service.put('/v1/users/a:b.c-d_1', body);
    expect(answer.json).toEqual({ userId: 'a:b.c-d_1', ...body, updatedAt: isoTime(service.clock.now()) });
    expect((await service.call('/v1/users/a:b.c-d_1')).json).toEqual(answer.json);
    const unknown = await service.call('/v1/users/nobody');
    expect([unknown.status, unknown.json.code]).toEqual([404, 'USER_UNKNOWN']);
    expect(await service.store.user('a:b.c-d_1')).toMatchObject({
      maxLeverage: 7.5,
      accountCreatedAt: Date.parse(OLD),
      ownInitialMarginRatePpm: 20_000,
      notionalCoefMicros: 750_000,
      experienceClass: 'professional',
      overrideMaxLeverage: 9,
    });
    const { json } = await service.call('/v1/audit');
    expect(json.entries.at(-1)).toMatchObject({
      kind: 'user-policy',
      actor: 'operator',
      subject: 'a:b.c-d_1',
    });
    const caps = await service.call('/v1/users/a:b.c-d_1/caps?symbol=BTCUSDT');
    expect(caps.json.caps[0]).toMatchObject({ maxLeverage: 7.5, bindingReason: 'HOUSE_LIMIT' });
  });

  test('takes away what is null or left out', async () => {
    await service.put('/v1/users/cleared', { maxLeverage: 2, accountCreatedAt: OLD });
    const nothing = { maxLeverage: null, accountCreatedAt: null, ownInitialMarginRatePpm: null };
    expect((await service.put('/v1/users/cleared', nothing)).json).toMatchObject(nothing);
    await service.put('/v1/users/cleared', { maxLeverage: 2 });
    expect((await service.put('/v1/users/cleared', {})).json).toMatchObject(nothing);
    expect(service.plane.userNow('cleared')).toMatchObject(nothing);
  });

  test.each([
    { maxLeverage: 0.99 },
    { maxLeverage: 1001 },
    { maxLeverage: '5' },
    { maxLeverage: true },
    { accountCreatedAt: 'yesterday' },
    { accountCreatedAt: '2024-02-30T00:00:00Z' },
    { accountCreatedAt: '0000-01-01T00:00:00+14:00' },
    { accountCreatedAt: '9999-12-31T23:59:59-14:00' },
    { accountCreatedAt: 17 },
    { ownInitialMarginRatePpm: 0 },
    { ownInitialMarginRatePpm: 1_000_001 },
    { ownInitialMarginRatePpm: 10.5 },
    { notionalCoef: '0' },
    { notionalCoef: '0.000000' },
    { notionalCoef: '-1' },
    { notionalCoef: '0.1234567' },
    { notionalCoef: '1e-3' },
    { notionalCoef: 0.5 },
    { maximumLeverage: 5 },
    ['maxLeverage'],
  ])('with %j is refused and changes nothing', async (body) => {
    const answer = await service.put('/v1/users/wrong', body);
    expect([answer.status, answer.json.code]).toEqual([400, 'INPUT_INVALID']);
    expect(answer.json.errors.length).toBeGreaterThan(0);
    expect(service.plane.userNow('wrong')).toBeNull();
  });

  test('with a coefficient above that of the policy is refused, and told what to change', async () => {
    const answer = await service.put('/v1/users/wrong', { notionalCoef: '1.000001' });
    expect([answer.status, answer.json.code]).toEqual([400, 'INPUT_INVALID']);
    expect(answer.json.remedy).toContain('maximumNotionalCoef');
    expect(service.plane.userNow('wrong')).toBeNull();
  });

  test.each(['%20', 'a%2Fb', 'x'.repeat(65), '%F0%9F%9A%80', 'a%00b', 'a%0Ab'])(
    'for the id %s is refused',
    async (id) => {
      expect((await service.put(`/v1/users/${id}`, {})).json.code).toBe('INPUT_INVALID');
    },
  );

  test.each(['__proto__', 'constructor', 'toString'])('%s is an id like any other', async (id) => {
    expect((await service.put(`/v1/users/${id}`, { maxLeverage: 3 })).status).toBe(200);
    expect(service.plane.userNow(id)?.maxLeverage).toBe(3);
    expect((await service.call(`/v1/users/${id}/caps`)).json.userId).toBe(id);
    expect((await service.call('/v1/audit?limit=1000')).json.entries.at(-1).details.userId).toBe(id);
  });
});

describe('a coefficient of the notional', () => {
  test('holds the user to brackets of half the size, in caps and in checks', async () => {
    await service.put('/v1/users/half', { accountCreatedAt: OLD, notionalCoef: '0.5' });
    const { json } = await service.call('/v1/markets/BTCUSDT/brackets');
    const [first, second] = json.brackets;
    const half = String(Number(first.notionalCap) / 2);
    const caps = await service.call(`/v1/users/half/caps?symbol=BTCUSDT&notional=${half}`);
    expect(caps.json.caps[0]).toMatchObject({ maxLeverage: first.maxLeverage, maxNotional: half });
    const check = await service.post('/v1/checks', {
      userId: 'half',
      symbol: 'BTCUSDT',
      side: 'long',
      notional: `${half}.01`,
      leverage: first.maxLeverage,
    });
    expect(check.json).toMatchObject({
      allowed: false,
      maxLeverage: second.maxLeverage,
      clampedNotional: half,
      reasons: ['NOTIONAL_COEF'],
    });
  });
});

describe('caps', () => {
  test('of an unknown user are those of a new account, for all markets', async () => {
    const { json } = await service.call('/v1/users/nobody/caps');
    expect(json.total).toBe(5);
    const large = json.caps.find(({ symbol }: { symbol: string }) => symbol === 'BTCUSDT');
    expect(large).toMatchObject({
      maxLeverage: DEFAULT_POLICY.newAccountMaximumLeverage,
      initialMarginRatePpm: 50_000,
      bindingReason: 'ACCOUNT_AGE_UNKNOWN',
      reasons: ['ACCOUNT_AGE_UNKNOWN', 'BRACKET'],
    });
  });

  test('rise with the age of the account, to the day', async () => {
    const created = service.clock.now() - DEFAULT_POLICY.newAccountDays * DAY_MILLISECONDS;
    const reasonOf = async (at: number) => {
      await service.put('/v1/users/ages', { accountCreatedAt: isoTime(at) });
      return (await service.call('/v1/users/ages/caps?symbol=BTCUSDT')).json.caps[0].bindingReason;
    };
    expect(await reasonOf(created + 1)).toBe('NEW_ACCOUNT');
    expect(await reasonOf(created)).toBe('BRACKET');
  });

  test('at a notional above the last cap are 0 with the reason, and still name the largest position', async () => {
    const { json } = await service.call('/v1/markets/BTCUSDT/brackets');
    const last = json.brackets.at(-1).notionalCap;
    const caps = await service.call(`/v1/users/nobody/caps?symbol=BTCUSDT&notional=${last}.01`);
    expect(caps.json.caps).toEqual([
      {
        symbol: 'BTCUSDT',
        maxLeverage: 0,
        maxNotional: last,
        initialMarginRatePpm: 1_000_000,
        bindingReason: 'NOTIONAL_ABOVE_LAST_BRACKET',
        nextReason: 'ACCOUNT_AGE_UNKNOWN',
        nextMaxLeverage: 20,
        reasons: ['NOTIONAL_ABOVE_LAST_BRACKET'],
        notionalReason: 'NOTIONAL_ABOVE_LAST_BRACKET',
        notes: ['NO_ACCOUNT', 'OPEN_INTEREST_UNKNOWN'],
        reduceOnly: null,
      },
    ]);
  });

  test('of a market that does not exist are 404, of one in lower case 400', async () => {
    expect((await service.call('/v1/users/u/caps?symbol=NOPEUSDT')).json.code).toBe('MARKET_UNKNOWN');
    expect((await service.call('/v1/users/u/caps?symbol=btcusdt')).json.code).toBe('INPUT_INVALID');
  });
});

describe('a pre-trade check', () => {
  const order = { userId: 'nobody', symbol: 'BTCUSDT', side: 'short', notional: '100.25', leverage: 20 };

  test('allows an order of an unknown user up to the cap of new accounts, and no further', async () => {
    expect((await service.post('/v1/checks', order)).json).toMatchObject({
      allowed: true,
      clampedLeverage: 20,
      clampedNotional: '100.25',
      reasons: [],
      version: 1,
    });
    expect((await service.post('/v1/checks', { ...order, leverage: 20.01 })).json).toMatchObject({
      allowed: false,
      maxLeverage: 20,
      clampedLeverage: 20,
      clampedNotional: '0',
      reasons: ['ACCOUNT_AGE_UNKNOWN'],
    });
  });

  test.each([
    { symbol: 'NOPEUSDT' },
    { symbol: 'btcusdt' },
    { side: 'net' },
    { notional: 100 },
    { notional: '-1' },
    { leverage: 0.5 },
    { leverage: '20' },
    { leverage: null },
    { userId: '' },
    { extra: 1 },
  ])('with %j is refused', async (change) => {
    const answer = await service.post('/v1/checks', { ...order, ...change });
    expect(answer.status).toBe(change.symbol === 'NOPEUSDT' ? 404 : 400);
  });

  test('names a clamp that is then allowed, whatever the user, the market and the order', async () => {
    const users = ['nobody', 'rich', 'careful', 'housed'];
    await service.put('/v1/users/rich', { accountCreatedAt: OLD });
    await service.put('/v1/users/careful', { accountCreatedAt: OLD, ownInitialMarginRatePpm: 333_333 });
    await service.put('/v1/users/housed', { accountCreatedAt: OLD, maxLeverage: 3.7 });
    const anyOrder = fc.record({
      userId: fc.constantFrom(...users),
      symbol: fc.constantFrom('BTCUSDT', 'AURUSDT', 'RUNEUSDT'),
      side: fc.constantFrom('long', 'short'),
      notional: fc
        .tuple(
          fc.integer({ min: 0, max: 9 }),
          fc.integer({ min: 0, max: 9_999 }),
          fc.integer({ min: 0, max: 99 }),
        )
        .map(([zeros, head, cents]) => `${head}${'0'.repeat(zeros)}.${cents}`),
      leverage: fc.double({ min: 1, max: 150, noNaN: true }),
    });
    const check = async (body: unknown) => (await service.post('/v1/checks', body)).json;
    let clamped = 0;
    await fc.assert(
      fc.asyncProperty(anyOrder, async (given) => {
        const { allowed, clampedLeverage, clampedNotional, reasons, maxLeverage } = await check(given);
        expect(reasons.length === 0).toBe(allowed);
        expect(allowed).toBe(given.leverage <= maxLeverage);
        if (clampedLeverage > 0) {
          expect(await check({ ...given, leverage: clampedLeverage })).toMatchObject({ allowed: true });
          if (!allowed) clamped++;
        } else {
          expect(reasons).toContain('NOTIONAL_ABOVE_LAST_BRACKET');
        }
        if (clampedNotional !== '0') {
          expect(await check({ ...given, notional: clampedNotional })).toMatchObject({ allowed: true });
          if (!allowed) clamped++;
        }
        const caps = await service.call(
          `/v1/users/${given.userId}/caps?symbol=${given.symbol}&notional=${given.notional}`,
        );
        expect(caps.json.caps[0].maxLeverage).toBe(maxLeverage);
      }),
      { seed: 20240601, numRuns: 150 },
    );
    expect(clamped).toBeGreaterThan(50);
  });
});

test('without any key every write is refused and reads stay as they are', async () => {
  const { Keyring } = await import('./auth.ts');
  const empty = new Keyring([], true);
  expect(() => empty.callerFor('users:write', OPERATOR.authorization)).toThrow(
    expect.objectContaining({ code: 'FORBIDDEN' }),
  );
  expect(empty.callerFor('limits:read', undefined)).toBeNull();
});
