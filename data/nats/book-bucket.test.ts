import { Kvm } from '@nats-io/kv';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BookBucket } from './book-bucket.ts';
import { NatsWay } from './connection.ts';
import { dropStreams, testNats, testPrefix } from './test-server.ts';

const server = await testNats();
const url = server?.url ?? '';
const SYMBOLS = ['AURUSDT', 'BOREUSDT', 'MAREUSDT'];

function bookOf(version: number) {
  const text = (more: object): string => JSON.stringify({ version, hash: `hash ${version}`, ...more });
  return {
    version,
    head: text({ markets: SYMBOLS }),
    markets: SYMBOLS.map((symbol) => ({ symbol, text: text({ symbol }) })),
  };
}

describe.skipIf(server === null)('the limit book in a bucket', () => {
  let prefix: string;
  const ways: NatsWay[] = [];

  async function open() {
    const way = await NatsWay.open({ url, credentials: null }, 'test');
    ways.push(way);
    return { bucket: await BookBucket.open(way, prefix, 1), way };
  }

  beforeEach(() => {
    prefix = testPrefix();
  });
  afterEach(async () => {
    await Promise.all(ways.splice(0).map((way) => way.close()));
    await dropStreams(url, prefix);
  });
  afterAll(() => server?.stop());

  test('never goes back, whoever writes it, and however late', async () => {
    const [one, other] = [await open(), await open()];
    expect(await one.bucket.publish(bookOf(1))).toBe(true);
    expect(await other.bucket.publish(bookOf(3))).toBe(true);
    expect(await one.bucket.publish(bookOf(2))).toBe(false);
    expect(await one.bucket.publish(bookOf(3))).toBe(false);
    await Promise.all(
      [8, 6, 9, 5, 7].map((version, i) => [one, other][i % 2].bucket.publish(bookOf(version))),
    );
    const kept = await new Kvm(one.way.client).open(`${prefix}_limits`);
    for (const key of ['book', ...SYMBOLS.map((symbol) => `market.${symbol}`)])
      expect((await kept.get(key))?.json()).toMatchObject({ version: 9 });
  });

  test('a reader whose markets all have the version of the head has a whole book; while one is written it is told that it has not', async () => {
    const { bucket, way } = await open();
    const kept = await new Kvm(way.client).open(`${prefix}_limits`);
    await bucket.publish(bookOf(1));
    let isOver = false;
    const seen: number[] = [];
    const reading = (async () => {
      while (!isOver) {
        const head = (await kept.get('book'))?.json<{ version: number; markets: string[] }>();
        const markets = await Promise.all(
          (head?.markets ?? []).map(async (symbol) =>
            (await kept.get(`market.${symbol}`))?.json<{ version: number; hash: string }>(),
          ),
        );
        if (head === undefined || markets.some((market) => market?.version !== head.version)) continue;
        expect(new Set(markets.map((market) => market?.hash))).toEqual(new Set([`hash ${head.version}`]));
        seen.push(head.version);
      }
    })();
    for (let version = 2; version <= 30; version++) await bucket.publish(bookOf(version));
    while (seen.at(-1) !== 30) await new Promise((resolve) => setImmediate(resolve));
    isOver = true;
    await reading;
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});
