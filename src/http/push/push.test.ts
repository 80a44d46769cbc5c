import { get, type IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { DECIDED_AT, HOUR } from '../../limits/test-inputs.ts';
import { marketInputs, sha256Of, TestService } from '../test-service.ts';
import { PUSH_BOUNDS } from './hub.ts';

interface Event {
  readonly id: number | null;
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever came.
  readonly data: any;
}

/** A reader of server-sent events over a real connection. */
class StreamReader {
  readonly events: Event[] = [];
  readonly response: IncomingMessage;
  readonly ended: Promise<void>;
  #text = '';

  constructor(response: IncomingMessage) {
    this.response = response;
    const isPacked = response.headers['content-encoding'] === 'gzip';
    const body = isPacked ? response.pipe(createGunzip()) : response;
    body.on('data', (chunk: Buffer) => this.#take(chunk.toString()));
    body.on('error', () => undefined);
    this.ended = new Promise((resolve) => response.on('close', () => resolve()));
  }

  static open(url: string, headers: Record<string, string> = {}): Promise<StreamReader> {
    return new Promise((resolve, reject) => {
      get(url, { headers }, (response) => resolve(new StreamReader(response))).on('error', reject);
    });
  }

  async until(count: number): Promise<readonly Event[]> {
    await waitUntil(() => this.events.length >= count);
    return this.events;
  }

  close(): void {
    this.response.destroy();
  }

  #take(text: string): void {
    this.#text += text;
    for (let end = this.#text.indexOf('\n\n'); end >= 0; end = this.#text.indexOf('\n\n')) {
      const fields = new Map(
        this.#text
          .slice(0, end)
          .split('\n')
          .map((line): [string, string] => [line.split(': ')[0], line.slice(line.indexOf(': ') + 2)]),
      );
      this.#text = this.#text.slice(end + 2);
      const id = fields.get('id');
      this.events.push({
        id: id === undefined ? null : Number(id),
        kind: fields.get('event') ?? '',
        data: JSON.parse(fields.get('data') ?? 'null'),
      });
    }
  }
}

async function waitUntil(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('waited in vain');
}

let service: TestService;

beforeEach(async () => {
  service = await TestService.start();
});
afterEach(() => service.stop());

const ACCOUNT = {
  ...{ userId: 'u', marginMode: 'cross', equity: '1' },
  positions: [{ symbol: 'BTCUSDT', side: 'long', quantity: '1', entryPrice: '100' }],
};

/** Another tail for every market, an hour later: tables change. */
function publishOther(hours: number, tail: number) {
  return service.publish(marketInputs(tail), DECIDED_AT + hours * HOUR);
}

describe('the stream', () => {
  test('begins with the whole book, and goes on with what changes, numbered without gaps', async () => {
    const reader = await StreamReader.open(`${service.url}/v1/stream`);
    expect(reader.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    const [snapshot] = await reader.until(1);
    expect(snapshot).toMatchObject({ id: 1, kind: 'snapshot', data: { version: 1, total: 5 } });
    expect(snapshot.data).toEqual((await service.call('/v1/limits')).json);
    await publishOther(1, 0.03);
    await service.put('/v1/accounts/a1', ACCOUNT);
    const told = await reader.until(4);
    expect(told.map(({ id }) => id)).toEqual(told.map((_, i) => i + 1));
    expect(told[1]).toMatchObject({ kind: 'limits', data: { version: 2, total: 5, removed: [] } });
    const { json } = await service.call('/v1/markets/BTCUSDT/brackets');
    const changed = told[1].data.changed.find((market: { symbol: string }) => market.symbol === 'BTCUSDT');
    expect(changed.brackets).toEqual(json.brackets);
    expect(told[2]).toMatchObject({ kind: 'intervention', data: { accountId: 'a1', kind: 'warning' } });
    reader.close();
  });

  test('goes on after the last event that a reader has, also after a restart, without loss or duplicate', async () => {
    const first = await StreamReader.open(`${service.url}/v1/stream?kinds=limits`);
    await first.until(1);
    await publishOther(1, 0.03);
    const seen = (await first.until(2)).at(-1)?.id;
    first.close();
    await publishOther(2, 0.01);
    await publishOther(3, 0.04);
    await service.restart();
    await publishOther(4, 0.01);
    const again = await StreamReader.open(`${service.url}/v1/stream?kinds=limits&after=1`, {
      'last-event-id': String(seen),
    });
    const events = await again.until(3);
    await publishOther(5, 0.05);
    await again.until(4);
    expect(events.map(({ kind, data }) => [kind, data.version])).toEqual([
      ['limits', 3],
      ['limits', 4],
      ['limits', 5],
      ['limits', 6],
    ]);
    again.close();
  });

  test('starts anew from what is in force for a reader whose last event is not known', async () => {
    const reader = await StreamReader.open(`${service.url}/v1/stream?after=999`);
    const [snapshot] = await reader.until(1);
    expect(snapshot).toMatchObject({ id: 1, kind: 'snapshot' });
    reader.close();
  });

  test('is compressed for those who take it, each message readable when it comes', async () => {
    const packed = await StreamReader.open(`${service.url}/v1/stream`, { 'accept-encoding': 'gzip' });
    const plain = await StreamReader.open(`${service.url}/v1/stream`);
    expect(packed.response.headers['content-encoding']).toBe('gzip');
    await Promise.all([packed.until(1), plain.until(1)]);
    await publishOther(1, 0.03);
    await Promise.all([packed.until(2), plain.until(2)]);
    expect(packed.events).toEqual(plain.events);
    const late = await StreamReader.open(`${service.url}/v1/stream?after=1`, { 'accept-encoding': 'gzip' });
    expect(await late.until(1)).toEqual(plain.events.slice(1, 2));
    for (const reader of [packed, plain, late]) reader.close();
  });

  test('says of itself what every answer does, and takes the request and the trace that it is asked under', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const asked = { 'x-request-id': 'r-7', traceparent };
    const reader = await StreamReader.open(`${service.url}/v1/stream`, asked);
    const read = await service.call('/v1/audit', { headers: asked });
    for (const name of [
      'x-request-id',
      'x-content-type-options',
      'content-security-policy',
      'x-frame-options',
    ])
      expect(reader.response.headers[name]).toBe(read.headers[name]);
    expect(reader.response.headers.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-/);
    reader.close();
  });

  test('is over at once where only its head is asked for, and is not begun with a body', async () => {
    const head = await service.call('/v1/stream', { method: 'HEAD' });
    expect([head.status, head.headers['content-type'], head.text]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      '',
    ]);
    const withBody = await service.call('/v1/stream', { body: { after: 1 } });
    expect([withBody.status, withBody.json.code]).toEqual([400, 'INPUT_INVALID']);
    const tooLong = await service.call(`/v1/stream?kinds=${'limits,'.repeat(400)}limits`);
    expect([tooLong.status, tooLong.json.code]).toEqual([400, 'INPUT_INVALID']);
  });

  test('cuts a reader off that does not read, and the others go on', async () => {
    const slow = await StreamReader.open(`${service.url}/v1/stream`);
    const quick = await StreamReader.open(`${service.url}/v1/stream`);
    await Promise.all([slow.until(1), quick.until(1)]);
    slow.response.pause();
    const body = JSON.stringify({ filling: 'x'.repeat(1_000_000) });
    const pushes = 3 + PUSH_BOUNDS.waitingBytes / 1_000_000 + 8;
    for (let i = 0; i < pushes; i++) {
      await service.store.outbox.appendEvents([{ kind: 'limits', at: 1, intervention: null, body }]);
      await service.plane.feed.pump();
      await quick.until(2 + i);
    }
    slow.response.resume();
    await slow.ended;
    expect(slow.events.at(-1)).toMatchObject({ kind: 'closing', data: { code: 'SLOW_READER' } });
    expect(slow.events.length).toBeLessThan(quick.events.length);
    quick.close();
  });

  test('readers who follow are no load: with many of them what can wait is still answered', async () => {
    const readers = await Promise.all(
      Array.from({ length: 150 }, () => StreamReader.open(`${service.url}/v1/stream`)),
    );
    await waitUntil(() => readers.every(({ events }) => events.length > 0));
    // However busy the machine is: the loop may be behind, which is over soon; readers would not be.
    for (let i = 0; i < 100 && (await service.call('/v1/audit')).status !== 200; i++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await service.call('/v1/audit')).status).toBe(200);
    for (const reader of readers) reader.close();
  });

  test('tells what people change and who may carry what, to those who may read that', async () => {
    const closed = await TestService.start({
      keys: [
        { name: 'desk', role: 'operator', sha256: sha256Of('desk-key') },
        {
          name: 'narrow',
          role: 'reader',
          scopes: ['feed:read', 'governance:read'],
          sha256: sha256Of('narrow-key'),
        },
      ],
    });
    const as = (key: string) => ({ authorization: `Bearer ${key}` });
    const all = await StreamReader.open(`${closed.url}/v1/stream`, as('desk-key'));
    const narrow = await StreamReader.open(`${closed.url}/v1/stream`, as('narrow-key'));
    await Promise.all([all.until(1), narrow.until(1)]);
    const { json: user } = await closed.call('/v1/users/ada', {
      method: 'PUT',
      headers: as('desk-key'),
      body: { maxLeverage: 4 },
    });
    const frozen = await closed.call('/v1/freeze', {
      method: 'POST',
      headers: as('desk-key'),
      body: { symbol: 'BTCUSDT', hours: 1, reason: 'a test' },
    });
    const told = await all.until(3);
    expect(told.slice(1).map(({ id, kind }) => [id, kind])).toEqual([
      [2, 'user'],
      [3, 'governance'],
    ]);
    expect(told[1].data).toEqual(user);
    expect(told[2].data).toEqual({ revision: 1, changes: [frozen.json.change] });
    expect((await narrow.until(2)).slice(1)).toEqual([told[2]]);
    const refused = await closed.call('/v1/stream?kinds=user', { headers: as('narrow-key') });
    expect([refused.status, refused.json.code]).toEqual([403, 'FORBIDDEN']);
    all.close();
    narrow.close();
    await closed.stop();
  });

  test('refuses before it begins: before any limits, and what cannot be asked for', async () => {
    const unknown = await service.call('/v1/stream?kinds=weather');
    expect([unknown.status, unknown.json.code]).toEqual([400, 'INPUT_INVALID']);
    const empty = await TestService.start({ books: 0 });
    const early = await empty.call('/v1/stream');
    expect([early.status, early.json.code]).toEqual([503, 'NOTHING_PUBLISHED']);
    await empty.stop();
  });
});

describe('the socket', () => {
  function open(path: string, headers: Record<string, string> = {}) {
    const socket = new WebSocket(`${service.url.replace('http', 'ws')}${path}`, { headers });
    // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever came.
    const messages: any[] = [];
    socket.on('message', (text) => messages.push(JSON.parse(text.toString())));
    const refusal = new Promise<number>((resolve) =>
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0)),
    );
    return { socket, messages, refusal };
  }

  test('says the same under the same numbers', async () => {
    const { socket, messages } = open('/ws');
    const reader = await StreamReader.open(`${service.url}/v1/stream`);
    await waitUntil(() => messages.length >= 1);
    await publishOther(1, 0.03);
    await waitUntil(() => messages.length >= 2);
    await reader.until(2);
    expect(messages.map(({ sequence, type, data }) => ({ id: sequence, kind: type, data }))).toEqual(
      reader.events,
    );
    socket.close();
    const late = open('/ws?after=1&kinds=limits');
    await waitUntil(() => late.messages.length >= 1);
    expect(late.messages[0]).toEqual(messages[1]);
    late.socket.close();
    reader.close();
  });

  test('is refused elsewhere, with what cannot be asked for, and without a key where one is needed', async () => {
    expect(await open('/elsewhere').refusal).toBe(404);
    expect(await open('/ws?after=-1').refusal).toBe(400);
    const closed = await TestService.start({ keys: [] });
    const socket = new WebSocket(`${closed.url.replace('http', 'ws')}/ws`);
    const status = await new Promise((resolve) =>
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode)),
    );
    expect(status).toBe(401);
    await closed.stop();
  });

  test('survives a reader that sends what nobody asked for', async () => {
    const { socket, messages } = open('/ws');
    await waitUntil(() => messages.length >= 1);
    const gone = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => undefined);
    socket.send('x'.repeat(100_000));
    await gone;
    const other = open('/ws');
    await waitUntil(() => other.messages.length >= 1);
    other.socket.close();
  });

  test('tells its readers when the service ends', async () => {
    const other = await TestService.start();
    const reader = await StreamReader.open(`${other.url}/v1/stream`);
    await reader.until(1);
    await other.stop();
    await reader.ended;
    expect(reader.events.at(-1)).toMatchObject({ kind: 'closing', data: { code: 'SERVICE_ENDS' } });
  });
});
