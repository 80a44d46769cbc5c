import { afterEach, beforeEach, expect, test } from 'vitest';
import { DECIDED_AT, HOUR } from '../../limits/test-inputs.ts';
import { marketInputs, TestService } from '../test-service.ts';

let service: TestService;

beforeEach(async () => {
  service = await TestService.start();
});
afterEach(() => service.stop());

/** What the feed says of a market at one book. */
async function told(version: number) {
  const bodies = (await service.store.outbox.eventsAfter(0, 1000)).map(({ body }) => JSON.parse(body));
  const book = bodies.find((body) => body.version === version);
  return {
    decidedAt: Date.parse(book.decidedAt),
    market: book.changed.find(({ symbol }: { symbol: string }) => symbol === 'BTCUSDT'),
  };
}

test('what open positions will be held to is told with its time before it bites, and then bites as announced', async () => {
  const worse = 0.03;
  const before = (await told(1)).market;
  await service.publish(marketInputs(worse), DECIDED_AT + HOUR);
  const first = await told(2);
  expect(before.announced).toEqual([]);
  // New orders are held to more at once, open positions to what they were held to.
  expect(first.market.brackets).not.toEqual(before.brackets);
  expect(first.market.maintenance).toEqual(before.maintenance);
  const [announced] = first.market.announced;
  const effectiveAt = Date.parse(announced.effectiveAt);
  expect(effectiveAt).toBeGreaterThan(first.decidedAt);
  expect(Date.parse(announced.announcedAt)).toBe(first.decidedAt);

  // Decided at every hour until then, and only at its time does anything bite.
  for (let at = DECIDED_AT + 2 * HOUR; at <= effectiveAt; at += HOUR)
    await service.publish(marketInputs(worse), at);
  const { version } = (await service.call('/v1/limits')).json;
  const all = await Promise.all(Array.from({ length: version - 2 }, (_, i) => told(i + 3)));
  const changes = all.filter(({ market }) => market !== undefined);
  const bites = changes.filter(
    ({ market }) => JSON.stringify(market.maintenance) !== JSON.stringify(before.maintenance),
  );
  for (const { decidedAt } of bites) expect(decidedAt).toBeGreaterThanOrEqual(effectiveAt);
  expect(bites[0].decidedAt).toBe(effectiveAt);
  expect(bites[0].market.maintenance).toEqual(announced.brackets);
});
