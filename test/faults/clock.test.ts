import { afterEach, beforeEach, expect, test } from 'vitest';
import { marketInputs, TestService } from '../../src/http/test-service.ts';
import { HOUR } from '../../src/limits/test-inputs.ts';
import { Random } from '../../src/random.ts';

/** A clock that jumps, by minutes and by months, forward and back, under a service that runs. */
const MINUTE = 60_000;
const DAY = 24 * HOUR;
const ORDER = { userId: 'u', symbol: 'BTCUSDT', side: 'long', notional: '1000' };
let service: TestService;

beforeEach(async () => {
  service = await TestService.start();
  await service.put('/v1/users/u', { accountCreatedAt: '2020-01-01T00:00:00Z' });
});
afterEach(() => service.stop());

const granted = async (): Promise<number> =>
  (await service.post('/v1/checks', { ...ORDER, leverage: 1 })).json.maxLeverage;

test('jumping by chance: no version goes back in time, and none that is decided under a wrong clock loosens', async () => {
  const random = new Random('clock');
  const start = service.clock.now();
  const calm = marketInputs(0.004);
  let before = service.plane.currentBook();
  let latest = start;
  for (let jump = 0; jump < 40; jump++) {
    const now = start + (random.uniform() - 0.5) * (jump % 2 === 0 ? 60 * DAY : 2 * HOUR);
    service.clock.set(now);
    // What would loosen if time had really passed.
    const book = await service.publish(calm, Math.round(now));
    service.clock.set(now);
    expect(book.version).toBe((before?.version ?? 0) + 1);
    expect(book.decidedAt).toBeGreaterThanOrEqual(before?.decidedAt ?? 0);
    if (now < latest)
      for (const market of book.markets) {
        const known = before?.markets.find(({ symbol }) => symbol === market.symbol);
        expect(market.brackets[0].maxLeverage).toBeLessThanOrEqual(known?.brackets[0].maxLeverage ?? 0);
      }
    latest = Math.max(latest, now);
    before = book;
    const limits = await service.call('/v1/limits');
    expect([limits.status, limits.json.version]).toEqual([200, book.version]);
    expect((await service.post('/v1/checks', { ...ORDER, leverage: 1 })).status).toBe(200);
  }
  expect(await service.store.verify()).toMatchObject({ firstBadBook: null, firstBadAuditEntry: null });
});

test('limits that are stale are served as degraded; past their validity less is granted, step by step down to 1x; never a failure', async () => {
  const book = service.plane.currentBook();
  const validUntil = book?.validUntil ?? 0;
  const full = await granted();
  expect(full).toBeGreaterThan(4);
  service.clock.set(validUntil);
  expect(await granted()).toBe(full);
  const seen: number[] = [];
  for (const minutes of [1, 16, 31, 46, 61, 76, 91, 1000, 100_000]) {
    service.clock.set(validUntil + minutes * MINUTE);
    for (const path of ['/v1/limits', '/v1/markets/BTCUSDT/brackets', '/v1/users/u/caps?symbol=BTCUSDT']) {
      const { status, json, headers } = await service.call(path);
      expect([path, status, json.degraded, headers.warning]).toEqual([
        path,
        200,
        true,
        '110 plimsoll "the validity of these limits is over"',
      ]);
    }
    expect((await service.call('/readyz')).json.reasons).toContain('LIMITS_EXPIRED');
    seen.push(await granted());
    const refused = await service.post('/v1/checks', { ...ORDER, leverage: full });
    expect(refused.json).toMatchObject({ allowed: false, degraded: true });
    expect(refused.json.reasons).toContain('LIMITS_EXPIRED');
  }
  expect(seen).toEqual([...seen].sort((a, b) => b - a));
  expect([seen[0], seen.at(-1)]).toEqual([Math.floor(full / 2), 1]);
  // The next book is all that is needed.
  await service.publish(marketInputs(), service.clock.now());
  expect(await granted()).toBeGreaterThan(1);
  expect(service.errors).toEqual([]);
});

test('a clock that jumped ahead and comes back gives nothing that had not been granted', async () => {
  const full = await granted();
  service.clock.set(service.clock.now() + 90 * DAY);
  const ahead = await granted();
  expect(ahead).toBe(1);
  const book = await service.publish(marketInputs(0.02), service.clock.now());
  const tight = await granted();
  service.clock.set(service.clock.now() - 90 * DAY);
  expect(await granted()).toBeLessThanOrEqual(Math.min(full, tight));
  const back = await service.publish(marketInputs(0.004), service.clock.now());
  expect(back.decidedAt).toBe(book.decidedAt);
  expect(await granted()).toBeLessThanOrEqual(tight);
});
