import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACCOUNT } from '../route-examples.fixture.ts';
import { OPERATOR, sha256Of, TestService } from '../test-service.ts';
import { IdempotentWrites } from './idempotent-writes.ts';

const HOUR = 3_600_000;
let service: TestService;
beforeAll(async () => {
  service = await TestService.start();
});
afterAll(() => service.stop());

const keyed = (key: string) => ({ ...OPERATOR, 'idempotency-key': key });
const audited = async () => service.store.auditLength();

describe('a write under an Idempotency-Key', () => {
  test('that comes again is not done again, and gets the answer that it got', async () => {
    const first = await service.put('/v1/users/u1', { maxLeverage: 5 }, keyed('k-1'));
    const entries = await audited();
    service.clock.advance(60_000);
    const again = await service.put('/v1/users/u1', { maxLeverage: 5 }, keyed('k-1'));
    expect([again.status, again.json]).toEqual([200, first.json]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(await audited()).toBe(entries);
  });

  test('after a restart too', async () => {
    const first = await service.put('/v1/users/u2', { maxLeverage: 5 }, keyed('k-2'));
    await service.restart();
    const again = await service.put('/v1/users/u2', { maxLeverage: 5 }, keyed('k-2'));
    expect([again.json, again.headers['idempotency-replayed']]).toEqual([first.json, 'true']);
  });

  test('with another body, address or method is refused', async () => {
    await service.put('/v1/users/u3', { maxLeverage: 5 }, keyed('k-3'));
    const others = [
      await service.put('/v1/users/u3', { maxLeverage: 6 }, keyed('k-3')),
      await service.put('/v1/users/u4', { maxLeverage: 5 }, keyed('k-3')),
    ];
    for (const { status, json } of others)
      expect([status, json.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });

  test('that was refused was not done, so that the key is free', async () => {
    const bad = await service.put('/v1/users/u5', { maxLeverage: -1 }, keyed('k-5'));
    expect(bad.status).toBe(400);
    expect((await service.put('/v1/users/u5', { maxLeverage: 5 }, keyed('k-5'))).status).toBe(200);
  });

  test('is remembered for a day', async () => {
    await service.put('/v1/users/u6', { maxLeverage: 5 }, keyed('k-6'));
    service.clock.advance(24 * HOUR + 1);
    const later = await service.put('/v1/users/u6', { maxLeverage: 6 }, keyed('k-6'));
    expect([later.status, later.headers['idempotency-replayed']]).toEqual([200, undefined]);
  });

  test('counts for batches and prices, and must be a key', async () => {
    const send = (key: string) =>
      service.call('/v1/accounts/batch', {
        method: 'POST',
        headers: { ...keyed(key), 'content-type': 'application/x-ndjson' },
        body: JSON.stringify({ ...ACCOUNT, sequence: 7 }),
      });
    const [first, again] = [await send('k-7'), await send('k-7')];
    expect([again.json, again.headers['idempotency-replayed']]).toEqual([first.json, 'true']);
    expect((await send('k-8')).json).not.toEqual(first.json);
    for (const bad of ['', 'a b', 'x'.repeat(201)]) expect((await send(bad)).json.code).toBe('INPUT_INVALID');
  });
});

test('a key belongs to whoever sent it', async () => {
  const keys = ['ann', 'bob'].map((name) => `${name}-key-of-the-idempotency-tests_01`);
  const two = await TestService.start({
    keys: keys.map((key) => ({ name: key.slice(0, 3), role: 'operator' as const, sha256: sha256Of(key) })),
  });
  try {
    const put = (key: string, maxLeverage: number) =>
      two.put('/v1/users/u1', { maxLeverage }, { authorization: `Bearer ${key}`, 'idempotency-key': 'same' });
    expect((await put(keys[0], 5)).json.maxLeverage).toBe(5);
    expect((await put(keys[1], 6)).json.maxLeverage).toBe(6);
  } finally {
    await two.stop();
  }
});

test('the second of two at once waits for no answer: it is refused, and the first is done once', async () => {
  const writes = new IdempotentWrites(service.store.answers, service.clock);
  let done = 0;
  let finish: () => void = () => {};
  const waits = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const write = async () => {
    await waits;
    done++;
    return { status: 200, json: { done } };
  };
  const first = writes.once('ann', 'at-once', 'hash', write);
  await expect(writes.once('ann', 'at-once', 'hash', write)).rejects.toMatchObject({ code: 'CONFLICT' });
  finish();
  expect((await first).json).toEqual({ done: 1 });
  expect(await writes.once('ann', 'at-once', 'hash', write)).toMatchObject({
    json: { done: 1 },
    isRepeat: true,
  });
});

test('an answer that is very long is not kept', async () => {
  const writes = new IdempotentWrites(service.store.answers, service.clock);
  const write = async () => ({ status: 200, json: 'x'.repeat(70_000) });
  await writes.once('ann', 'long', 'hash', write);
  expect((await writes.once('ann', 'long', 'hash', write)).isRepeat).toBe(false);
});
