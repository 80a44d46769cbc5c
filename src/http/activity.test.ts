import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isoTime } from '../clock.ts';
import { DECIDED_AT, HOUR } from '../limits/test-inputs.ts';
import { type Answer, OPERATOR, TestService } from './test-service.ts';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const PATH = '/v1/market-activity';
let service: TestService;

beforeEach(async () => {
  service = await TestService.start();
  service.clock.set(DECIDED_AT + 60_000);
});

afterEach(async () => {
  await service.stop();
});

function post(body: string, headers = {}): Promise<Answer> {
  return service.call(PATH, { method: 'POST', headers: { ...NDJSON, ...OPERATOR, ...headers }, body });
}

function line(symbol: string, fields: Readonly<Record<string, unknown>>, at = service.clock.now()): string {
  return JSON.stringify({ symbol, ...fields, observedAt: isoTime(at) });
}

async function rejectedMetric(reason: string): Promise<string | undefined> {
  const { text } = await service.call('/metrics');
  const sample = new RegExp(
    `plimsoll_data_rejected_total\\{source="market-activity",reason="${reason}"\\} (\\S+)`,
  );
  return sample.exec(text)?.[1];
}

describe('a batch of open interest and order books', () => {
  test('is judged line by line; what is wrong in the middle does not keep the rest from counting', async () => {
    const now = service.clock.now();
    const depth = { bandRatePpm: 2000, quoteNotional: '12500000.5' };
    const body = [
      line('BTCUSDT', { openInterest: '5612345678.9', depth }),
      'no json',
      '',
      line('NOPEUSDT', { openInterest: '1' }),
      line('ETHUSDT', { openInterest: '0' }),
      line('ETHUSDT', { openInterest: '-1' }),
      line('ETHUSDT', { openInterest: 1 }),
      line('ETHUSDT', {}),
      line('ETHUSDT', { depth: { ...depth, bandRatePpm: 1_000_000 } }),
      line('ETHUSDT', { openInterest: '1' }, now - 7 * HOUR),
      line('ETHUSDT', { openInterest: '1' }, now + HOUR),
      line('BTCUSDT', { openInterest: '5612345678.9', depth }),
      line('BTCUSDT', { openInterest: '1' }, now - 1),
      line('ETHUSDT', { depth: { ...depth, quoteNotional: '0' } }),
    ].join('\n');
    const { status, json } = await post(body);
    expect(status).toBe(200);
    expect(json).toMatchObject({ total: 13, accepted: 2, ignored: 2, refused: 9 });
    expect(
      json.lines.map((of: Record<string, unknown>) => [of.line, of.symbol, of.outcome, of.code]),
    ).toEqual([
      [2, null, 'refused', 'ACTIVITY_INVALID'],
      [4, 'NOPEUSDT', 'refused', 'MARKET_UNKNOWN'],
      [5, 'ETHUSDT', 'refused', 'ACTIVITY_IMPLAUSIBLE'],
      [6, null, 'refused', 'ACTIVITY_INVALID'],
      [7, null, 'refused', 'ACTIVITY_INVALID'],
      [8, null, 'refused', 'ACTIVITY_INVALID'],
      [9, null, 'refused', 'ACTIVITY_INVALID'],
      [10, 'ETHUSDT', 'refused', 'ACTIVITY_STALE'],
      [11, 'ETHUSDT', 'refused', 'ACTIVITY_FUTURE'],
      [12, 'BTCUSDT', 'ignored', 'ACTIVITY_REPEATED'],
      [13, 'BTCUSDT', 'ignored', 'ACTIVITY_OUT_OF_ORDER'],
    ]);
    expect(json.lines[5].message).toContain('open interest, depth or both');
    expect([...service.plane.activity.report(now)]).toEqual([
      [
        'BTCUSDT',
        {
          openInterest: { quoteNotional: 5612345678.9, observedAt: now },
          depth: { quoteNotional: 12500000.5, bandRate: 0.002, observedAt: now },
        },
      ],
      ['ETHUSDT', { openInterest: null, depth: { quoteNotional: 0, bandRate: 0.002, observedAt: now } }],
    ]);
    expect(await rejectedMetric('activity_invalid')).toBe('5');
    expect(await rejectedMetric('activity_repeated')).toBe('1');
  });

  test('needs a key that may write prices, the right type, and a size that can be judged', async () => {
    const body = line('BTCUSDT', { openInterest: '1' });
    expect((await post(body, { authorization: '' })).status).toBe(401);
    expect((await post(body, { 'content-type': 'application/json' })).status).toBe(415);
    expect((await post('\n'.repeat(5_000_000))).status).toBe(413);
    const many = await post(`${'{}\n'.repeat(20_001)}`);
    expect([many.status, many.json.code]).toEqual([413, 'BODY_TOO_LARGE']);
    expect(service.plane.activity.report(service.clock.now()).size).toBe(0);
  });

  test('before anything is decided is of no market that is known', async () => {
    const empty = await TestService.start({ books: 0 });
    const body = line('BTCUSDT', { openInterest: '1' });
    const { json } = await empty.call(PATH, { method: 'POST', headers: { ...NDJSON, ...OPERATOR }, body });
    expect(json).toMatchObject({ refused: 1, lines: [{ code: 'MARKET_UNKNOWN' }] });
    await empty.stop();
  });
});
