import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DECIDED_AT, HOUR } from '../limits/test-inputs.ts';
import { OPERATOR, TestService } from './test-service.ts';

let service: TestService;

beforeAll(async () => {
  service = await TestService.start();
});
afterAll(() => service.stop());

const NDJSON = { ...OPERATOR, 'content-type': 'application/x-ndjson' };
// The last bar closed at 100; a bitcoin market of the tests asks little of small positions.
const POSITION = { symbol: 'BTCUSDT', side: 'long', quantity: '10', entryPrice: '100' };
const ACCOUNT = { userId: 'u1', marginMode: 'cross', equity: '500', positions: [POSITION] };

async function maintenanceRate(): Promise<number> {
  const { json } = await service.call('/v1/markets/BTCUSDT/brackets');
  return json.brackets[0].maintenanceMarginRatePpm / 1e6;
}

describe('accounts', () => {
  test('come in one by one and are measured at the newest mark, which without a price is the close of the bar', async () => {
    const put = await service.put('/v1/accounts/a1', ACCOUNT);
    expect([put.status, put.json]).toEqual([200, { accountId: 'a1', status: 'healthy' }]);
    const { status, json } = await service.call('/v1/accounts/a1/margin');
    expect(status).toBe(200);
    expect(json).toMatchObject({ accountId: 'a1', userId: 'u1', status: 'healthy', equity: '500' });
    expect(json.effectiveLeverage.gross).toBe(2);
    expect(Number(json.maintenanceMargin)).toBeCloseTo(1000 * (await maintenanceRate()), 8);
    expect(json.positions[0]).toMatchObject({
      symbol: 'BTCUSDT',
      side: 'long',
      mark: '100',
      notional: '1000',
    });
  });

  test('weigh their positions by how far each market moves with all, once that was measured', async () => {
    expect((await service.call('/v1/accounts/a1/margin')).json.effectiveLeverage.betaWeighted).toBeNull();
    const matrix = Float64Array.of(1);
    service.plane.correlated({ asOf: 1, markets: ['BTCUSDT'], matrix, betas: Float64Array.of(0.75) });
    const { json } = await service.call('/v1/accounts/a1/margin');
    expect(json.effectiveLeverage).toMatchObject({ gross: 2, net: 2, betaWeighted: 1.5 });
  });

  test('are the same to the simulator, which changes nothing', async () => {
    const held = await service.call('/v1/accounts/a1/margin');
    const simulated = await service.post('/v1/margin/simulate', {
      account: { accountId: 'a1', ...ACCOUNT },
      prices: { BTCUSDT: '100' },
    });
    // When its marks were so is known of an account alone.
    const { markedAt, ...margin } = held.json;
    expect(simulated.json).toEqual(margin);
    expect(Object.keys(markedAt)).toEqual(['BTCUSDT']);
    const { json } = await service.post('/v1/margin/simulate', {
      account: { accountId: 'a1', ...ACCOUNT, equity: '1' },
      prices: { BTCUSDT: '100' },
    });
    expect(json.status).not.toBe('healthy');
    expect((await service.call('/v1/accounts/a1/margin')).json).toEqual(held.json);
  });

  test('come in as lines: the bad ones are told by number and reason, the good ones hold', async () => {
    const line = (accountId: string, changes: object = {}) =>
      JSON.stringify({ accountId, ...ACCOUNT, sequence: 5, ...changes });
    const bad = { ...POSITION, symbol: 'NOPEUSDT' };
    const body = [
      line('b1'),
      'not json',
      '',
      line('b2', { equity: 'NaN' }),
      line('b3', { positions: [bad] }),
      line('b1', { sequence: 4 }),
      line('b4'),
    ].join('\n');
    const { status, json } = await service.post('/v1/accounts/batch', body, NDJSON);
    expect(status).toBe(200);
    expect(json).toMatchObject({ total: 6, accepted: 2, ignored: 1, refused: 3 });
    expect(json.lines.map((one: { line: number; code: string }) => [one.line, one.code])).toEqual([
      [2, 'ACCOUNT_INVALID'],
      [4, 'ACCOUNT_INVALID'],
      [5, 'MARKET_UNKNOWN'],
      [6, 'ACCOUNT_OUT_OF_ORDER'],
    ]);
    expect((await service.call('/v1/accounts/b4/margin')).json.equity).toBe('500');
    expect((await service.call('/v1/accounts/b2/margin')).json.code).toBe('ACCOUNT_UNKNOWN');
  });

  test('that cannot be are refused with what is wrong, and nothing of them is taken', async () => {
    const refused: [object, number, string][] = [
      [{ ...ACCOUNT, positions: [{ ...POSITION, symbol: 'NOPEUSDT' }] }, 404, 'MARKET_UNKNOWN'],
      [{ ...ACCOUNT, positions: [{ ...POSITION, quantity: '-1' }] }, 400, 'INPUT_INVALID'],
      [{ ...ACCOUNT, positions: [POSITION, POSITION] }, 400, 'INPUT_INVALID'],
      [{ ...ACCOUNT, equity: 5 }, 400, 'INPUT_INVALID'],
      [{ ...ACCOUNT, accountId: 'other' }, 400, 'INPUT_INVALID'],
    ];
    for (const [body, status, code] of refused) {
      const answer = await service.put('/v1/accounts/c1', body);
      expect([answer.status, answer.json.code]).toEqual([status, code]);
    }
    expect((await service.call('/v1/accounts/c1/margin')).status).toBe(404);
    expect((await service.put('/v1/accounts/c1', ACCOUNT, {})).status).toBe(401);
  });

  test('are told what is due, each threshold once, when a believed price moves; and never by one that waits', async () => {
    const rate = await maintenanceRate();
    // Maintenance margin is half of the equity at 100.
    await service.put('/v1/accounts/d1', { ...ACCOUNT, userId: 'd', equity: String(1000 * rate * 2) });
    service.clock.set(DECIDED_AT + 10 * 60_000);
    const price = async (value: number) => {
      service.clock.advance(1000);
      const time = new Date(service.clock.now()).toISOString();
      const body = JSON.stringify({ symbol: 'BTCUSDT', price: String(value), time });
      return service.post('/v1/prices', body, NDJSON);
    };
    expect((await price(75)).json).toMatchObject({ accepted: 0, held: 1 });
    const of = async () =>
      (await service.call('/v1/interventions?accountId=d1')).json.interventions.map(
        (one: { kind: string }) => one.kind,
      );
    expect(await of()).toEqual([]);
    // Equity is down to 1,000 · rate · 2 − 10 · fall.
    const fallTo = (ratio: number) => 100 - (100 * rate * (2 - 1 / ratio)) / (1 - rate / ratio);
    expect((await price(fallTo(0.8))).json).toMatchObject({ accepted: 1 });
    expect(await of()).toEqual(['warning', 'marginCall']);
    await price(fallTo(0.8) - 1e-6);
    expect(await of()).toEqual(['warning', 'marginCall']);
    await price(fallTo(1.02));
    expect(await of()).toEqual(['warning', 'marginCall', 'reduceOnly', 'reduction', 'liquidation']);
    const { json } = await service.call('/v1/interventions?accountId=d1&kind=liquidation');
    expect(json.interventions[0]).toMatchObject({
      ...{
        kind: 'liquidation',
        mode: 'advise',
        cause: 'price',
        movedMarkets: ['BTCUSDT'],
        status: 'liquidation',
      },
      ...{ previousStatus: 'reduction', accountId: 'd1', userId: 'd', symbol: null },
    });
    expect(json.interventions[0].marginRatio).toBeCloseTo(1.02, 6);
    expect(json.interventions[0].plan[0]).toMatchObject({ symbol: 'BTCUSDT', side: 'long' });
    expect((await service.call('/v1/accounts/d1/margin')).json.status).toBe('liquidation');
  });

  test('before any limits wait for them', async () => {
    const empty = await TestService.start({ books: 0 });
    const put = await empty.put('/v1/accounts/a1', ACCOUNT);
    expect([put.status, put.json.code]).toEqual([503, 'NOTHING_PUBLISHED']);
    await empty.publish(undefined, DECIDED_AT + HOUR);
    expect((await empty.put('/v1/accounts/a1', ACCOUNT)).status).toBe(200);
    await empty.stop();
  });
});
