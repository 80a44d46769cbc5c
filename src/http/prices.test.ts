import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isoTime } from '../clock.ts';
import { DECIDED_AT, HOUR } from '../limits/test-inputs.ts';
import { type Answer, OPERATOR, TestService } from './test-service.ts';

const NDJSON = { 'content-type': 'application/x-ndjson' };
let service: TestService;
let calls: number;

beforeEach(async () => {
  service = await TestService.start();
  calls = 0;
  service.plane.prices.onUrgent(() => calls++);
  service.clock.set(DECIDED_AT + 60_000);
});

afterEach(async () => {
  await service.stop();
});

function post(body: string, headers = {}): Promise<Answer> {
  return service.call('/v1/prices', {
    method: 'POST',
    headers: { ...NDJSON, ...OPERATOR, ...headers },
    body,
  });
}

function line(symbol: string, price: unknown, at = service.clock.now()): string {
  return JSON.stringify({ symbol, price, time: isoTime(at) });
}

async function rejectedMetric(reason: string): Promise<string | undefined> {
  const { text } = await service.call('/metrics');
  return new RegExp(`plimsoll_data_rejected_total\\{source="prices",reason="${reason}"\\} (\\S+)`).exec(
    text,
  )?.[1];
}

describe('a batch of prices', () => {
  test('is judged line by line; what is wrong in the middle does not keep the rest from counting', async () => {
    const now = service.clock.now();
    const body = [
      line('BTCUSDT', '99.5'),
      'no json',
      '',
      line('NOPEUSDT', '1'),
      line('ETHUSDT', '0'),
      line('ETHUSDT', 'NaN'),
      line('ETHUSDT', 99),
      line('ETHUSDT', '500'),
      line('ETHUSDT', '99', now - HOUR / 2),
      line('ETHUSDT', '99', now + HOUR),
      line('ETHUSDT', '75'),
      line('BTCUSDT', '99.5'),
      line('SOLUSDT', '100.000000000000000001'),
    ].join('\n');
    const { status, json } = await post(body);
    expect(status).toBe(200);
    expect(json).toMatchObject({ total: 12, accepted: 2, ignored: 1, held: 1, refused: 8 });
    expect(
      json.lines.map((of: Record<string, unknown>) => [of.line, of.symbol, of.outcome, of.code]),
    ).toEqual([
      [2, null, 'refused', 'PRICE_INVALID'],
      [4, 'NOPEUSDT', 'refused', 'MARKET_UNKNOWN'],
      [5, 'ETHUSDT', 'refused', 'PRICE_INVALID'],
      [6, null, 'refused', 'PRICE_INVALID'],
      [7, null, 'refused', 'PRICE_INVALID'],
      [8, 'ETHUSDT', 'refused', 'PRICE_IMPLAUSIBLE'],
      [9, 'ETHUSDT', 'refused', 'PRICE_STALE'],
      [10, 'ETHUSDT', 'refused', 'PRICE_FUTURE'],
      [11, 'ETHUSDT', 'held', 'PRICE_HELD'],
      [12, 'BTCUSDT', 'ignored', 'PRICE_REPEATED'],
    ]);
    expect(await rejectedMetric('price_invalid')).toBe('4');
    expect(await rejectedMetric('price_stale')).toBe('1');
    expect(calls).toBe(0);
  });

  test('can be sent again: the second time nothing happens', async () => {
    const body = `${line('BTCUSDT', '99.9')}\n${line('ETHUSDT', '98')}\n`;
    expect((await post(body)).json).toMatchObject({ total: 2, accepted: 2, lines: [] });
    const before = service.plane.prices.report();
    expect((await post(body)).json).toMatchObject({ accepted: 0, ignored: 2, refused: 0 });
    expect(service.plane.prices.report()).toEqual(before);
    expect(calls).toBe(1);
  });

  test('of nothing is no fault', async () => {
    expect((await post('\n\n')).json).toMatchObject({ total: 0, accepted: 0, lines: [] });
    expect((await post('')).json).toMatchObject({ total: 0 });
  });

  test('needs a key that may write, the right type, and a size that can be judged', async () => {
    const body = line('BTCUSDT', '90');
    expect((await post(body, { authorization: '' })).status).toBe(401);
    expect((await post(body, { 'content-type': 'application/json' })).status).toBe(415);
    expect((await post('\n'.repeat(5_000_000))).status).toBe(413);
    const many = await post(`${'{}\n'.repeat(20_001)}`);
    expect([many.status, many.json.code]).toEqual([413, 'BODY_TOO_LARGE']);
    expect(service.plane.prices.report().prices.size).toBe(0);
    expect(calls).toBe(0);
  });

  test('before anything is decided has nothing that it could be judged by', async () => {
    const empty = await TestService.start({ books: 0 });
    const call = { method: 'POST', headers: { ...NDJSON, ...OPERATOR }, body: line('BTCUSDT', '1') };
    expect((await empty.call('/v1/prices', call)).json).toMatchObject({ refused: 1 });
    await empty.stop();
  });
});
