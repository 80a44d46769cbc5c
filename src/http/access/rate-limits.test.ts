import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256Of, TestService } from '../test-service.ts';
import { limitersOf, RateLimiter, senderOf, UNLIMITED } from './rate-limits.ts';

describe('a bucket', () => {
  test('gives two seconds of its rate at once, then its rate, and says how much is left and when it is full', () => {
    const limiter = new RateLimiter('reader', 10);
    const all = Array.from({ length: 25 }, () => limiter.charge('a', 100));
    expect(all.filter(({ refusal }) => refusal === null)).toHaveLength(20);
    expect(all[0].headers).toEqual([
      'ratelimit-policy',
      '"reader";q=20;w=2',
      'ratelimit',
      '"reader";r=19;t=1',
    ]);
    expect(all[24].headers).toEqual(expect.arrayContaining(['"reader";r=0;t=2', 'retry-after', '1']));
    expect(all[24].refusal).toMatchObject({ code: 'RATE_LIMITED', details: { refusal: 'rate' } });
    // A quarter of a second later there are two more, and a bucket that rests is full and no fuller.
    const later = Array.from({ length: 5 }, () => limiter.charge('a', 100.25).refusal === null);
    expect(later).toEqual([true, true, false, false, false]);
    expect(limiter.charge('a', 1e6).headers).toContain('"reader";r=19;t=1');
  });

  test('is of one sender, and a clock that goes back gives nothing away', () => {
    const limiter = new RateLimiter('reader', 0.5);
    expect(limiter.charge('a', 10).refusal).toBeNull();
    expect(limiter.charge('a', 10).refusal).not.toBeNull();
    expect(limiter.charge('b', 10).refusal).toBeNull();
    expect(limiter.charge('a', 5).refusal).not.toBeNull();
    expect(limiter.charge('a', 5.1).headers).toEqual(expect.arrayContaining(['retry-after', '2']));
  });

  test('senders without end do not fill the memory', () => {
    const limiter = new RateLimiter('address', 1);
    for (let i = 0; i < 50_000; i++) limiter.charge(`sender ${i}`, 0);
    expect(limiter.buckets).toBe(20_000);
  });

  test('there is none where the limit is 0', () => {
    expect(Object.values(limitersOf(UNLIMITED)).every((limiter) => limiter === null)).toBe(true);
  });
});

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
  [undefined, 'unknown'],
])('%s pays as %s: of IPv6 the network counts', (address, sender) => {
  expect(senderOf(address)).toBe(sender);
});

describe('over HTTP', () => {
  const READER = 'reader-key-of-the-rate-tests_0123';
  const EXCHANGE = 'exchange-key-of-the-rate-tests_012';
  const as = (key: string) => ({ authorization: `Bearer ${key}` });
  let service: TestService;
  beforeAll(async () => {
    service = await TestService.start({
      keys: [
        { name: 'desk', role: 'reader', sha256: sha256Of(READER) },
        { name: 'matching', role: 'exchange', sha256: sha256Of(EXCHANGE) },
      ],
      rateLimits: { ...UNLIMITED, reader: 3, exchange: 1000, address: 2 },
    });
  });
  afterAll(() => service.stop());

  test('a key that asks too much is refused on prepared reads, others and checks alike, and told when to come again', async () => {
    const order = { userId: 'u1', symbol: 'BTCUSDT', side: 'long', notional: '1000', leverage: 2 };
    const ask = async (i: number) =>
      i % 3 === 0
        ? service.post('/v1/checks', order, as(READER))
        : service.call(i % 3 === 1 ? '/v1/limits' : '/v1/models', { headers: as(READER) });
    for (let i = 0; i < 6; i++) {
      const { status, headers } = await ask(i);
      expect([status, headers['ratelimit-policy']]).toEqual([200, '"reader";q=6;w=2']);
      expect(headers.ratelimit).toBe(`"reader";r=${5 - i};t=${Math.ceil((i + 1) / 3)}`);
    }
    for (let i = 0; i < 3; i++) {
      const refused = await ask(i);
      expect([refused.status, refused.json.code]).toEqual([429, 'RATE_LIMITED']);
      expect(refused.headers).toMatchObject({ 'retry-after': '1', ratelimit: '"reader";r=0;t=2' });
    }
    expect((await service.call('/v1/limits', { headers: as(EXCHANGE) })).status).toBe(200);
    expect((await service.call('/livez')).status).toBe(200);
    service.clock.advance(1000);
    const again = await service.call('/v1/limits', { headers: { ...as(READER), 'if-none-match': '*' } });
    expect([again.status, again.headers.ratelimit]).toEqual([304, '"reader";r=2;t=2']);
  });

  test('whoever tries keys is held up by address, and a key that is known is not', async () => {
    const tries = [];
    for (let i = 0; i < 8; i++)
      tries.push((await service.call('/v1/limits', { headers: as(`guess-number-${i}-of-many`) })).status);
    expect(tries).toEqual([403, 403, 403, 403, 429, 429, 429, 429]);
    expect((await service.call('/v1/limits', { headers: as(EXCHANGE) })).status).toBe(200);
    const refused = await service.call('/fapi/v1/leverageBracket');
    expect([refused.status, refused.json.code]).toEqual([429, -1003]);
    const { text } = await service.call('/metrics', { headers: as(EXCHANGE) });
    expect(text).toMatch(/access_refusals_total\{reason="rate"\} [1-9]/);
    expect(service.warnings.join('\n')).not.toContain('guess-number');
  });
});

test('while reads are open there is no limit unless one is set', async () => {
  const free = await TestService.start();
  const held = await TestService.start({ rateLimits: { ...UNLIMITED, firstRun: 1 } });
  try {
    expect((await free.call('/v1/limits')).headers.ratelimit).toBeUndefined();
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await held.call('/v1/limits')).status);
    expect(statuses).toEqual([200, 200, 429]);
  } finally {
    await free.stop();
    await held.stop();
  }
});
