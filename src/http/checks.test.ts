import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isoTime } from '../clock.ts';
import { DEFAULT_POLICY } from '../limits/policy.ts';
import { HOUR_MILLISECONDS } from '../units.ts';
import { TestService } from './test-service.ts';

let service: TestService;
const OLD = isoTime(Date.UTC(2020, 0, 1));

beforeAll(async () => {
  service = await TestService.start();
  for (const user of ['ada', 'bob', 'cyd', 'dan', 'eve', 'fay', 'gil'])
    await service.put(`/v1/users/${user}`, { accountCreatedAt: OLD });
});

afterAll(() => service.stop());

/** Contracts are worth 100, as the last bar closed. */
async function putAccount(
  accountId: string,
  userId: string,
  equity: string,
  ...quantities: readonly (readonly [string, string])[]
) {
  const positions = quantities.map(([symbol, quantity]) => ({
    symbol,
    side: 'net',
    quantity,
    entryPrice: '100',
  }));
  const answer = await service.put(`/v1/accounts/${accountId}`, {
    userId,
    marginMode: 'cross',
    equity,
    positions,
  });
  expect(answer.status).toBe(200);
}

function check(userId: string, changes: object = {}) {
  const order = { userId, symbol: 'BTCUSDT', side: 'long', notional: '1000', leverage: 5 };
  return service.post('/v1/checks', { ...order, ...changes });
}

describe('a check of an account that is known', () => {
  test('is of the position after the order, with the numbers that an order form shows', async () => {
    await putAccount('ada', 'ada', '10000', ['BTCUSDT', '50']);
    const { json } = await check('ada');
    expect(json).toMatchObject({
      allowed: true,
      accountId: 'ada',
      resultingSide: 'long',
      resultingNotional: '6000',
      initialMargin: '200',
      isMarginEnough: true,
      bindingReason: 'BRACKET',
      nextReason: 'PORTFOLIO_RISK',
      reduceOnly: null,
      notes: ['OPEN_INTEREST_UNKNOWN'],
    });
    const { json: margin } = await service.call('/v1/accounts/ada/margin');
    expect(json.availableBalance).toBe(margin.availableBalance);
    expect(Number(json.maintenanceMargin)).toBeCloseTo(1.2 * Number(margin.maintenanceMargin), 6);
    const reduced = await check('ada', { side: 'short', notional: '2000', leverage: 900 });
    expect(reduced.json).toMatchObject({
      allowed: true,
      resultingSide: 'long',
      resultingNotional: '3000',
      initialMargin: '0',
      clampedLeverage: 900,
    });
  });

  test('falls with what the account holds elsewhere, less once correlations are known', async () => {
    await putAccount('bob', 'bob', '10000', ['ETHUSDT', '1800']);
    const before = (await check('bob')).json;
    expect(before).toMatchObject({
      bindingReason: 'PORTFOLIO_RISK_NOT_NETTED',
      notes: ['CORRELATIONS_UNKNOWN', 'OPEN_INTEREST_UNKNOWN'],
    });
    const markets = ['BTCUSDT', 'ETHUSDT'];
    const asOf = service.clock.now();
    service.plane.correlated({ asOf, markets, matrix: Float64Array.of(1, 0.5, 0.5, 1) });
    const after = (await check('bob')).json;
    expect(after.bindingReason).toBe('PORTFOLIO_RISK');
    expect(after.maxLeverage).toBeGreaterThan(before.maxLeverage);
    const { json } = await service.call('/v1/users/bob/caps?symbol=BTCUSDT&notional=1000&side=long');
    expect(json).toMatchObject({ accountId: 'bob', correlationsAsOf: isoTime(asOf) });
    expect(json.caps[0]).toMatchObject({ maxLeverage: after.maxLeverage, bindingReason: 'PORTFOLIO_RISK' });
    const hedge = (await service.call('/v1/users/bob/caps?symbol=BTCUSDT&side=short')).json.caps[0];
    expect(Number(hedge.maxNotional)).toBeGreaterThan(Number(json.caps[0].maxNotional));
  });

  test('says which account is meant where there are several, and knows none of somebody else', async () => {
    await putAccount('c1', 'cyd', '1000');
    await putAccount('c2', 'cyd', '1000', ['BTCUSDT', '1']);
    const unclear = await check('cyd');
    expect([unclear.status, unclear.json.code]).toEqual([400, 'INPUT_INVALID']);
    expect((await check('cyd', { accountId: 'c2' })).json.resultingNotional).toBe('1100');
    await putAccount('cyd', 'cyd', '1000', ['BTCUSDT', '2']);
    expect((await check('cyd')).json).toMatchObject({ accountId: 'cyd', resultingNotional: '1200' });
    for (const [user, accountId] of [
      ['cyd', 'ada'],
      ['nobody', 'ada'],
      ['cyd', 'nothing'],
    ]) {
      const answer = await check(user, { accountId });
      expect([answer.status, answer.json.code]).toEqual([404, 'ACCOUNT_UNKNOWN']);
    }
  });

  test('above its caps may reduce only, whatever else holds, until it fits', async () => {
    await putAccount('dan', 'dan', '10000', ['BTCUSDT', '500']);
    expect((await check('dan', { leverage: 1 })).json.allowed).toBe(true);
    await service.put('/v1/users/dan', { accountCreatedAt: OLD, maxLeverage: 2 });
    const added = (await check('dan', { leverage: 1 })).json;
    expect(added).toMatchObject({
      allowed: false,
      maxLeverage: 0,
      clampedNotional: '0',
      reasons: ['REDUCE_ONLY'],
      reduceOnly: {
        cause: 'POSITION_ABOVE_CAPS',
        side: 'long',
        positionNotional: '50000',
        allowedNotional: '20000',
        capReason: 'HOUSE_LIMIT',
        reduceBy: null,
      },
    });
    await service.post(
      '/v1/freeze',
      { symbol: 'BTCUSDT', reason: 'a test' },
      { authorization: 'Bearer operator-key-of-the-tests_0123456789' },
    );
    const sold = { side: 'short', notional: '50000', leverage: 1000 };
    expect((await check('dan', sold)).json).toMatchObject({ allowed: true, resultingNotional: '0' });
    const turned = (await check('dan', { ...sold, notional: '50001', leverage: 1 })).json;
    expect(turned).toMatchObject({ allowed: false, clampedNotional: '50000', reasons: ['REDUCE_ONLY'] });
    const { json } = await service.call('/v1/users/dan/caps?symbol=BTCUSDT');
    expect(json.caps[0].reduceOnly).toEqual(added.reduceOnly);
    await putAccount('dan', 'dan', '10000', ['BTCUSDT', '200']);
    expect((await check('dan', { leverage: 1 })).json.reduceOnly).toBeNull();
    await putAccount('dan', 'dan', '-1', ['BTCUSDT', '200']);
    expect((await check('dan', sold)).json.allowed).toBe(false);
    expect((await check('dan', { ...sold, reduceOnly: true })).json).toMatchObject({
      allowed: true,
      resultingNotional: '0',
    });
    expect((await check('dan', { leverage: 1 })).json.reduceOnly.cause).toBe('ACCOUNT_STATUS');
  });

  test('names a clamp that is then allowed, whatever is held and asked for', async () => {
    const decimals = (most: number) =>
      fc
        .tuple(fc.integer({ min: 0, max: most }), fc.integer({ min: 0, max: 999_999 }))
        .map((parts) => parts.join('.'));
    const anyCase = fc.record({
      equity: decimals(50_000),
      held: fc.tuple(fc.constantFrom('', '-'), decimals(2_000)).map((parts) => parts.join('')),
      other: fc.tuple(fc.constantFrom('', '-'), decimals(2_000)).map((parts) => parts.join('')),
      side: fc.constantFrom('long', 'short'),
      notional: decimals(400_000),
      leverage: fc.double({ min: 1, max: 60, noNaN: true }),
    });
    let clamped = 0;
    await fc.assert(
      fc.asyncProperty(anyCase, async ({ equity, held, other, ...order }) => {
        await putAccount('gil', 'gil', equity, ['BTCUSDT', held], ['ETHUSDT', other]);
        const { json } = await check('gil', order);
        expect(json.allowed).toBe(
          json.clampedNotional === order.notional && json.clampedLeverage === order.leverage,
        );
        if (json.allowed) return;
        for (const [name, value] of [
          ['notional', json.clampedNotional],
          ['leverage', json.clampedLeverage],
        ]) {
          if (Number(value) === 0) continue;
          clamped++;
          expect((await check('gil', { ...order, [name]: value })).json).toMatchObject({ allowed: true });
        }
      }),
      { seed: 20240602, numRuns: 200 },
    );
    expect(clamped).toBeGreaterThan(40);
  });

  test('takes a price of its own, and no price of 0', async () => {
    await putAccount('eve', 'eve', '10000');
    const { json } = await check('eve', { notional: '20000', price: '90' });
    const atMark = (await check('eve', { notional: '20000' })).json;
    expect(Number(json.liquidationPrice)).toBeLessThan(Number(atMark.liquidationPrice));
    expect((await check('eve', { price: '0' })).status).toBe(400);
  });

  test('without a position is the same as without an account, but for what is known', async () => {
    await putAccount('fay', 'fay', '10000000000');
    const order = { notional: '2500.5', leverage: 7 };
    const { json: plain } = await service.post('/v1/checks', {
      userId: 'stranger',
      symbol: 'BTCUSDT',
      side: 'long',
      ...order,
    });
    const { json } = await check('fay', order);
    expect(json.resultingNotional).toBe(plain.resultingNotional);
    expect(json.maxNotional).toBe(plain.maxNotional);
    expect([plain.accountId, plain.availableBalance, plain.notes]).toEqual([
      null,
      null,
      ['NO_ACCOUNT', 'OPEN_INTEREST_UNKNOWN'],
    ]);
  });
});

test('what only reduces is allowed without an account too', async () => {
  const { json } = await service.post('/v1/checks', {
    ...{ userId: 'stranger', symbol: 'RUNEUSDT', side: 'short', notional: '90000000', leverage: 900 },
    reduceOnly: true,
  });
  expect(json).toMatchObject({
    allowed: true,
    clampedLeverage: 900,
    clampedNotional: '90000000',
    reasons: [],
  });
});

describe('a policy of a user', () => {
  test('takes a class of the policy, and no other', async () => {
    const { json } = await service.put('/v1/users/gus', {
      accountCreatedAt: OLD,
      experienceClass: 'beginner',
    });
    expect(json.experienceClass).toBe('beginner');
    const caps = await service.call('/v1/users/gus/caps?symbol=BTCUSDT');
    expect(caps.json.caps[0]).toMatchObject({
      maxLeverage: 5,
      bindingReason: 'EXPERIENCE_CLASS',
      nextReason: 'BRACKET',
    });
    const other = await service.put('/v1/users/gus', { experienceClass: 'expert' });
    expect([other.status, other.json.remedy]).toEqual([400, 'Give one of beginner, regular, professional.']);
  });

  test('takes an override with an end and a reason, which ends by itself', async () => {
    const now = service.clock.now();
    const override = {
      overrideMaxLeverage: 3,
      overrideExpiresAt: isoTime(now + HOUR_MILLISECONDS),
      overrideReason: 'looked at',
    };
    await service.put('/v1/users/hal', { accountCreatedAt: OLD, ...override });
    const capOf = async () => (await service.call('/v1/users/hal/caps?symbol=BTCUSDT')).json.caps[0];
    expect(await capOf()).toMatchObject({ maxLeverage: 3, bindingReason: 'USER_OVERRIDE' });
    service.clock.set(now + HOUR_MILLISECONDS);
    expect((await capOf()).bindingReason).toBe('BRACKET');
    const late = now + (DEFAULT_POLICY.governance.maximumOverrideHours + 2) * HOUR_MILLISECONDS;
    for (const [change, status] of [
      [{ overrideReason: null }, 400],
      [{ overrideReason: '  ' }, 400],
      [{ overrideExpiresAt: undefined }, 400],
      [{ overrideMaxLeverage: 0.5 }, 400],
      [{ overrideExpiresAt: isoTime(now) }, 422],
      [{ overrideExpiresAt: isoTime(late) }, 422],
    ] as const)
      expect((await service.put('/v1/users/hal', { ...override, ...change })).status).toBe(status);
  });
});
