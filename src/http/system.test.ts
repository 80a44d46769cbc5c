import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OPERATOR, TestService } from './test-service.ts';

let service: TestService;

beforeAll(async () => {
  service = await TestService.start();
  const lines = ['BTCUSDT', 'ETHUSDT'].flatMap((symbol, m) =>
    Array.from({ length: 20 }, (_, i) =>
      JSON.stringify({
        ...{ accountId: `${symbol}-${i}`, userId: `u${i}`, marginMode: 'cross', equity: String(15 + i) },
        positions: [
          { symbol, side: m === 0 || i % 2 === 0 ? 'long' : 'short', quantity: '1', entryPrice: '100' },
        ],
      }),
    ),
  );
  await service.post('/v1/accounts/batch', lines.join('\n'), {
    ...OPERATOR,
    'content-type': 'application/x-ndjson',
  });
});
afterAll(() => service.stop());

describe('the system', () => {
  test('adds everybody up at the marks', async () => {
    const { status, json } = await service.call('/v1/system');
    expect(status).toBe(200);
    // Forty positions of 100; equities from 15 to 34, twice.
    expect(json).toMatchObject({ accounts: 40, unknownAccounts: 0, total: 5 });
    expect(json.leverage).toMatchObject({ grossNotional: '4000', equity: '980' });
    expect(json.leverage.gross).toBeCloseTo(4000 / 980, 9);
    const bitcoin = json.markets.find((one: { symbol: string }) => one.symbol === 'BTCUSDT');
    expect(bitcoin).toMatchObject({ longNotional: '2000', shortNotional: '0', longs: 20 });
    const [deepest] = bitcoin.liquidations;
    expect(deepest).toMatchObject({ move: -0.5, long: '2000', short: '0', groups: 20 });
  });

  test('says what a shock would set off, and changes nothing', async () => {
    const before = (await service.call('/v1/accounts/BTCUSDT-0/margin')).json;
    const small = (await service.post('/v1/stress', { move: -0.01 })).json;
    const large = (await service.post('/v1/stress', { move: -0.3 })).json;
    const one = (await service.post('/v1/stress', { moves: { BTCUSDT: -0.3 } })).json;
    expect(small).toMatchObject({
      accountsFallen: 0,
      badDebt: '0',
      insuranceFund: '40',
      insuranceFundAssumed: true,
    });
    expect(large.accountsFallen).toBeGreaterThanOrEqual(16);
    expect(large.accountsFallen).toBeGreaterThan(one.accountsFallen - 1);
    expect(Number(large.badDebt)).toBeGreaterThan(0);
    expect(one.longLoss).toBe('600');
    expect((await service.call('/v1/accounts/BTCUSDT-0/margin')).json).toEqual(before);
  });

  test('refuses shocks that cannot be', async () => {
    for (const body of [{ move: -1 }, { moves: { BTCUSDT: 'x' } }, { moves: { btc: 0.1 } }])
      expect((await service.post('/v1/stress', body)).status).toBe(400);
    const unknown = await service.post('/v1/stress', { moves: { NOPEUSDT: -0.1 } });
    expect([unknown.status, unknown.json.code]).toEqual([404, 'MARKET_UNKNOWN']);
  });

  test('is an input of the next decision', async () => {
    const input = await service.plane.accounts.stressInput();
    expect(input).toMatchObject({ accounts: 40, source: 'cascade@1' });
    expect(input?.leverage).toBeCloseTo(4000 / 980, 9);
    expect(input?.forcedShare).toBeGreaterThan(0);
  });
});
