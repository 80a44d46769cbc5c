import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SqliteStateStore } from '../../../data/sqlite-state-store.ts';
import { postWebhook } from '../../../data/webhook-post.ts';
import { ManualClock } from '../../clock.ts';
import { traceOf } from '../../http/trace.ts';
import { Random } from '../../random.ts';
import { Feed } from './feed.ts';
import { type Delivery, signedHeaders, WebhookSender } from './webhooks.ts';

const SECRET = 'a secret of the tests that is long enough';
let folder: string;
let store: SqliteStateStore;
let receiver: Server;
let received: { readonly headers: IncomingHttpHeaders; readonly body: string }[];
let answer: (call: number) => number;
let pauses: number[];
let buried: number[];
let told: Delivery[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-webhooks-'));
  store = SqliteStateStore.open(folder);
  received = [];
  pauses = [];
  buried = [];
  told = [];
  answer = () => 204;
  receiver = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push({ headers: request.headers, body });
    response.statusCode = answer(received.length);
    response.setHeader('location', '/elsewhere');
    response.end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
  await store.close();
  rmSync(folder, { recursive: true });
});

async function feedOf(): Promise<Feed> {
  return Feed.recover({
    outbox: store.outbox,
    interventionsAfter: async () => [],
    onFailure: (error) => {
      throw error;
    },
  });
}

function senderOf(feed: Feed, clock = new ManualClock(1_700_000_000_000)): WebhookSender {
  const { port } = receiver.address() as AddressInfo;
  return new WebhookSender({
    hook: { name: 'desk', url: `http://127.0.0.1:${port}/hook`, secret: SECRET, kinds: ['intervention'] },
    ...{ outbox: store.outbox, feed, post: postWebhook, clock, random: new Random(1) },
    observer: {
      delivered: (delivery) => told.push(delivery),
      failed: (delivery) => told.push(delivery),
      buried: ({ sequence }) => buried.push(sequence),
    },
    pause: async (milliseconds) => {
      pauses.push(milliseconds);
    },
  });
}

async function append(
  count: number,
  feed: Feed,
  kind: 'intervention' | 'limits' = 'intervention',
): Promise<void> {
  for (let i = 0; i < count; i++)
    await store.outbox.appendEvents([{ kind, at: 1, intervention: null, body: `{"n":${i}}` }]);
  await feed.pump();
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('waited in vain');
}

test('a receiver gets what it wants, in order, signed as the specification says', async () => {
  const feed = await feedOf();
  const sender = senderOf(feed);
  sender.start();
  await until(async () => (await store.outbox.cursor('desk')) === 0);
  await append(2, feed);
  await append(1, feed, 'limits');
  await append(1, feed);
  await until(() => received.length === 3);
  expect(received.map(({ body }) => JSON.parse(body))).toEqual([
    { type: 'intervention', sequence: 1, data: { n: 0 } },
    { type: 'intervention', sequence: 2, data: { n: 1 } },
    { type: 'intervention', sequence: 4, data: { n: 0 } },
  ]);
  for (const { headers, body } of received) {
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const signature = createHmac('sha256', SECRET).update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signature}`);
  }
  expect(received[0].headers).toMatchObject({
    'webhook-id': 'plimsoll-1',
    'webhook-timestamp': '1700000000',
  });
  await sender.stop();
});

test('the signature is that of the example of the specification', () => {
  // standardwebhooks, its reference test vector; the secret is base64 there and bytes here.
  const secret = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
  const headers = signedHeaders(
    secret as unknown as string,
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    1_614_265_330,
    '{"test": 2432232314}',
  );
  expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('one that is away is called again, longer and longer apart, and nothing overtakes', async () => {
  const feed = await feedOf();
  const sender = senderOf(feed);
  answer = (call) => (call <= 4 ? [500, 302, 429, 404][call - 1] : 200);
  sender.start();
  await until(async () => (await store.outbox.cursor('desk')) === 0);
  await append(2, feed);
  await until(() => received.length === 6);
  const ids = received.map(({ headers }) => headers['webhook-id']);
  expect(ids).toEqual([...Array.from({ length: 5 }, () => 'plimsoll-1'), 'plimsoll-2']);
  expect(pauses).toHaveLength(4);
  for (const [i, pause] of pauses.entries()) {
    expect(pause).toBeGreaterThanOrEqual(500 * 2 ** i);
    expect(pause).toBeLessThanOrEqual(1000 * 2 ** i);
  }
  await sender.stop();
});

test('every call names its trace: one for all calls of an event, a span for each, and what is told here names it too', async () => {
  const feed = await feedOf();
  const sender = senderOf(feed);
  answer = (call) => (call <= 2 ? 500 : 200);
  sender.start();
  await until(async () => (await store.outbox.cursor('desk')) === 0);
  await append(2, feed);
  await until(async () => (await store.outbox.cursor('desk')) === 2);
  await sender.stop();
  const traces = received.map(({ headers }) => traceOf(headers));
  expect(traces.every((trace) => trace?.isRecorded)).toBe(true);
  const ids = traces.map((trace) => trace?.id);
  expect(ids).toEqual([ids[0], ids[0], ids[0], ids[3]]);
  expect(ids[3]).not.toBe(ids[0]);
  expect(new Set(traces.map((trace) => trace?.parentSpanId)).size).toBe(4);
  expect(told).toEqual(
    [1, 1, 1, 2].map((sequence, call) => ({ hook: 'desk', sequence, traceId: ids[call] })),
  );
});

test('what is never taken is buried with its reason, and the next ones go on', async () => {
  const feed = await feedOf();
  const sender = senderOf(feed);
  answer = (call) => (call <= 56 ? 500 : 200);
  sender.start();
  await until(async () => (await store.outbox.cursor('desk')) === 0);
  await append(2, feed);
  await until(async () => (await store.outbox.cursor('desk')) === 2);
  expect(buried).toEqual([1]);
  expect(await store.outbox.buried(10)).toEqual([
    { reader: 'desk', sequence: 1, reason: 'answered 500', at: 1_700_000_000_000 },
  ]);
  await sender.stop();
});

test('after a restart it goes on where it was; a new receiver begins with what is new', async () => {
  const feed = await feedOf();
  await append(3, feed);
  const first = senderOf(feed);
  first.start();
  await until(async () => (await store.outbox.cursor('desk')) === 3);
  await append(1, feed);
  await until(() => received.length === 1);
  await first.stop();
  await append(2, feed);
  const second = senderOf(feed);
  second.start();
  await until(() => received.length === 3);
  expect(received.map(({ body }) => JSON.parse(body).sequence)).toEqual([4, 5, 6]);
  await second.stop();
});
