import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { marketInputs, TestService } from '../http/test-service.ts';
import { maxLeverageAt } from '../limits/brackets.ts';
import { DECIDED_AT, HOUR } from '../limits/test-inputs.ts';
import type { LimitBook } from '../limits/types.ts';
import { Random } from '../random.ts';
import type { PlimsollClient } from './client.ts';
import { closeAll, connect, until } from './test-client.ts';
import { type FalseAnswer, FalseServer, TestLine } from './test-line.ts';

const OLD = { accountCreatedAt: 0 };
let service: TestService;
let line: TestLine;
let books: Map<number, LimitBook>;

beforeEach(async () => {
  service = await TestService.start({ books: 0 });
  books = new Map();
  await publish(0, 0.008);
  line = await TestLine.to(service.url);
});
afterEach(async () => {
  closeAll();
  await line.close();
  await service.stop();
});

async function publish(hours: number, tail: number): Promise<void> {
  const book = await service.publish(marketInputs(tail), DECIDED_AT + hours * HOUR);
  books.set(book.version, book);
}

/** Whatever is asked is answered, and from a book that there was: never more than its table grants. */
function expectNoMoreThanItsBook(client: PlimsollClient): void {
  for (const symbol of ['BTCUSDT', 'AURUSDT'])
    for (const notional of [0, 1000, 250_000, 1e12]) {
      const { maxLeverage, version } = client.cap(symbol, notional, OLD);
      const market = books.get(version)?.markets.find((one) => one.symbol === symbol);
      expect(maxLeverage).toBeLessThanOrEqual(maxLeverageAt(market?.brackets ?? [], notional));
      const check = client.check({ symbol, notional, leverage: maxLeverage + 0.01 }, OLD);
      expect(check.allowed).toBe(false);
    }
}

test('a client that was away goes on where it was, across a restart, and sees each book once', async () => {
  const client = await connect(line.url, service.clock);
  const seen: number[] = [];
  client.on('book', ({ head }) => seen.push(head.version));
  await publish(1, 0.03);
  await until(() => client.version === 2);
  line.target = null;
  line.cut();
  await until(() => client.state.name === 'holding');
  await publish(2, 0.02);
  await publish(3, 0.05);
  await service.restart();
  line.target = service.url;
  await until(() => client.version === 4);
  await publish(4, 0.008);
  await until(() => client.version === 5);
  expect(seen).toEqual([2, 3, 4, 5]);
  expect(client.state.name).toBe('live');
});

test('a line that cuts messages in the middle costs no book and never half of one is taken', async () => {
  const random = new Random(17);
  // Of an answer head to several books.
  line.bytesOf = () => 500 + random.integer(12_000);
  const client = await connect(line.url, service.clock, { connectSeconds: 60 });
  for (let hours = 1; hours <= 40; hours++) {
    await publish(hours, [0.008, 0.03, 0.015, 0.06][hours % 4]);
    for (let look = 0; look < 3; look++) {
      expectNoMoreThanItsBook(client);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  await until(() => client.version === 41);
  expectNoMoreThanItsBook(client);
  expect(line.connections).toBeGreaterThan(4);
});

test('when the server is gone caps are held, then tightened down to 1x, then refused; and all is well once it is back', async () => {
  const names: string[] = [];
  const client = await connect(line.url, service.clock);
  client.on('state', ({ name, divisor }) => names.push(`${name} ${divisor}`));
  const granted = client.cap('BTCUSDT', 1000, OLD);
  expect(client.state.name).toBe('live');
  line.target = null;
  line.cut();
  await until(() => client.state.name === 'holding');
  expect(client.cap('BTCUSDT', 1000, OLD)).toEqual(granted);

  service.clock.set((client.book?.validUntil ?? 0) + 1);
  expect(client.state).toMatchObject({ name: 'tightening', divisor: 2 });
  const half = client.cap('BTCUSDT', 1000, OLD);
  expect(half).toMatchObject({
    maxLeverage: granted.maxLeverage / 2,
    bindingReason: 'SERVER_GONE',
    nextReason: granted.bindingReason,
    nextMaxLeverage: granted.maxLeverage,
  });
  // Each clamp makes it allowed.
  const order = { symbol: 'BTCUSDT', notional: 1000, leverage: granted.maxLeverage };
  const { allowed, clampedLeverage, reasons, maxNotional } = client.check(order, OLD);
  expect([allowed, reasons, maxNotional]).toEqual([false, ['SERVER_GONE'], 0]);
  expect(client.check({ ...order, leverage: clampedLeverage }, OLD).allowed).toBe(true);
  expect(
    client.check({ ...order, notional: half.maxNotional, leverage: half.maxLeverage }, OLD).allowed,
  ).toBe(true);
  expect(
    client.check({ ...order, notional: half.maxNotional + 1, leverage: half.maxLeverage }, OLD).allowed,
  ).toBe(false);

  service.clock.advance(5 * HOUR);
  expect(client.state.name).toBe('tightening');
  expect(client.cap('BTCUSDT', 1000, OLD).maxLeverage).toBe(1);
  service.clock.advance(HOUR);
  expect(client.state.name).toBe('refusing');
  expect(client.cap('BTCUSDT', 1000, OLD)).toMatchObject({ maxLeverage: 0, reasons: ['SERVER_GONE'] });
  expect(client.check({ ...order, leverage: 1 }, OLD).allowed).toBe(false);
  expect(client.check({ ...order, reduceOnly: true }, OLD).allowed).toBe(true);

  line.target = service.url;
  // A resumed stream says nothing until the next book or heartbeat.
  await until(() => line.connections > 3);
  await publish(20, 0.008);
  await until(() => client.state.name === 'live');
  expect(client.cap('BTCUSDT', 1000, OLD).bindingReason).toBe(granted.bindingReason);
  expect(names.filter((name) => !name.startsWith('tightening'))).toEqual([
    'holding 1',
    'refusing 1000000',
    'live 1',
  ]);
});

describe('a server that answers rubbish', () => {
  let client: PlimsollClient;
  let liar: FalseServer;
  // biome-ignore lint/suspicious/noExplicitAny: a book as it came.
  let book: any;

  beforeEach(async () => {
    await publish(1, 0.03);
    client = await connect(line.url, service.clock, { fallback: { goneSeconds: 2 } });
    liar = await FalseServer.start((await service.call('/v1/user-policy')).text);
    book = (await service.call('/v1/limits')).json;
  });
  afterEach(() => liar.close());

  const message = (kind: string, data: unknown, id = 99): FalseAnswer => ({
    body: `id: ${id}\nevent: ${kind}\ndata: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`,
    isOpen: true,
  });
  const loose = () => {
    const copy = structuredClone(book);
    for (const market of copy.markets) market.brackets[0].maxLeverage = 1000;
    return copy;
  };
  const change = (fields: object) => ({ ...book, changed: [], activity: [], removed: [], ...fields });
  const answers: readonly (readonly [string, () => FalseAnswer])[] = [
    ['a page', () => ({ type: 'text/html', body: '<html>welcome</html>' })],
    ['a failure', () => ({ status: 500, body: '' })],
    ['nothing', () => ({ body: '' })],
    ['what is no JSON', () => message('snapshot', '{"version":7,')],
    ['no object', () => message('snapshot', '17')],
    [
      'half a message',
      () => ({ body: message('snapshot', { ...book, version: 3, hash: 'x' }).body.slice(0, -300) }),
    ],
    ['tables that break their invariants', () => message('snapshot', { ...loose(), version: 3, hash: 'x' })],
    [
      'a part of a book',
      () => message('snapshot', { ...book, version: 3, hash: 'x', markets: book.markets.slice(1) }),
    ],
    ['an older book', () => message('snapshot', { ...book, version: 1, hash: 'x' })],
    ['another book of the same version', () => message('snapshot', { ...book, hash: 'x' })],
    ['a change that does not follow', () => message('limits', change({ version: 9, hash: 'x' }))],
    [
      'a change of a market that is not there',
      () =>
        message(
          'limits',
          change({
            version: 3,
            hash: 'x',
            previousHash: book.hash,
            activity: [{ symbol: 'A', openInterest: null, dailyVolume: null }],
          }),
        ),
    ],
    [
      'a change that takes a market away without saying',
      () => message('limits', change({ version: 3, hash: 'x', previousHash: book.hash, total: 4 })),
    ],
    [
      'a time that is none',
      () => message('snapshot', { ...book, version: 3, hash: 'x', validUntil: 'soon' }),
    ],
  ];

  test.each(answers)(
    '%s: the book stays, and is followed again once the server is right',
    async (_, answer) => {
      liar.answer = answer();
      line.target = liar.url;
      line.cut();
      await until(() => liar.streams >= 3);
      expect(client.version).toBe(2);
      expect(client.state.name).not.toBe('live');
      expectNoMoreThanItsBook(client);
      line.target = service.url;
      line.cut();
      await publish(2, 0.008);
      await until(() => client.version === 3 && client.state.name === 'live');
      expectNoMoreThanItsBook(client);
    },
  );

  test('silence: it is gone after a while, and another connection is tried', async () => {
    liar.answer = { ...message('snapshot', book), isOpen: true };
    const silent = await connect(liar.url, service.clock, { fallback: { goneSeconds: 0.2 } });
    const states = new Set<string>();
    silent.on('state', ({ name }) => states.add(name));
    await until(() => liar.streams >= 3 && states.has('holding'));
    expectNoMoreThanItsBook(silent);
  });

  test('what it does not know yet is left out', async () => {
    liar.answer = {
      body: `event: weather\ndata: {}\n\n${message('snapshot', book).body}event: heartbeat\ndata: {}\n\n`,
      isOpen: true,
    };
    const young = await connect(liar.url, service.clock);
    expect([young.version, young.state.name]).toEqual([2, 'live']);
  });
});

test('a service that is not there is told with what was tried', async () => {
  line.target = null;
  const connecting = connect(line.url, service.clock, { connectSeconds: 0.3 });
  await expect(connecting).rejects.toMatchObject({ code: 'IO_FAILED' });
  await expect(connect('nowhere', service.clock)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
});
