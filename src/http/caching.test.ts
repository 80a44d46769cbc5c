import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NOTHING_SEEN } from '../control/nothing-seen.fixture.ts';
import { bookHashHolds } from '../limits/chain.ts';
import { DECIDED_AT, HOUR } from '../limits/test-inputs.ts';
import { SHIPPED_CHAMPION } from './route-examples.fixture.ts';
import { acceptsGzip } from './send.ts';
import { marketInputs, TestService } from './test-service.ts';

/** Reads by what answers them: ready bytes, or made for the request. */
const PREPARED = [
  '/v1/limits',
  '/v1/markets',
  '/v1/markets/BTCUSDT/brackets',
  '/v1/markets/BTCUSDT/explain',
  '/v1/markets/BTCUSDT/forecast',
  '/v1/overview',
];
const MADE = [
  '/v1/limits?fresh=1',
  '/v1/markets/BTCUSDT/brackets?notional=10',
  '/v1/markets/BTCUSDT/history',
  '/v1/markets/BTCUSDT/sensitivity',
  '/v1/users/user-17/caps',
  '/v1/models',
  `/v1/models/${SHIPPED_CHAMPION}`,
  '/v1/coverage',
  '/v1/training/runs',
  '/v1/audit',
  '/v1/audit/1',
];

let service: TestService;

beforeAll(async () => {
  service = await TestService.start();
});

afterAll(() => service.stop());

describe.each([...PREPARED, ...MADE])('a read of %s', (path) => {
  test('carries a strong ETag, and is 304 without a body for whoever has it', async () => {
    const first = await service.call(path);
    const etag = first.headers.etag as string;
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    for (const given of [etag, `W/${etag}`, `"other", ${etag}`, `"a",W/${etag} , "b"`, '*', ' * ']) {
      const again = await service.call(path, { headers: { 'if-none-match': given } });
      expect([given, again.status, again.headers.etag, again.body.length]).toEqual([given, 304, etag, 0]);
    }
    for (const given of ['"other"', etag.slice(1, -1), `${etag.slice(0, -2)}"`, '']) {
      const again = await service.call(path, { headers: { 'if-none-match': given } });
      expect([given, again.status]).toEqual([given, 200]);
    }
  });

  test('is answered to HEAD with the same headers and no body', async () => {
    const [got, head] = [await service.call(path), await service.call(path, { method: 'HEAD' })];
    expect([head.status, head.body.length]).toEqual([200, 0]);
    for (const name of ['etag', 'content-type', 'content-length', 'cache-control', 'vary'])
      expect(head.headers[name], name).toEqual(got.headers[name]);
    expect(Number(head.headers['content-length'])).toBe(got.body.length);
  });

  test('may be kept by nobody without asking again', async () => {
    expect((await service.call(path)).headers['cache-control']).toMatch(/^(private, )?no-cache$/);
  });
});

test.each(PREPARED)(
  '%s has the same headers from its ready bytes as through the table of routes',
  async (path) => {
    const [ready, routed] = [await service.call(path), await service.call(`${path}?x=1`)];
    const { date: _, ...headers } = ready.headers;
    expect(routed.headers).toMatchObject(headers);
    expect(routed.body.equals(ready.body)).toBe(true);
  },
);

describe('compression', () => {
  test.each(['/v1/limits', '/v1/markets', '/v1/overview'])(
    '%s comes as gzip with an ETag of its own where it is accepted, and the bytes are the same',
    async (path) => {
      const plain = await service.call(path);
      const packed = await service.call(path, { headers: { 'accept-encoding': 'br, gzip' } });
      expect(plain.headers['content-encoding']).toBeUndefined();
      expect(packed.headers['content-encoding']).toBe('gzip');
      expect(packed.headers.etag).not.toBe(plain.headers.etag);
      expect([plain.headers.vary, packed.headers.vary]).toEqual(['accept-encoding', 'accept-encoding']);
      expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
      expect(packed.body.length).toBeLessThan(plain.body.length);
      const known = { 'accept-encoding': 'gzip', 'if-none-match': packed.headers.etag };
      const again = await service.call(path, { headers: known });
      expect([again.status, again.headers.etag, again.headers.vary]).toEqual([
        304,
        packed.headers.etag,
        'accept-encoding',
      ]);
    },
  );

  test.each([
    ['gzip', true],
    ['GZIP;q=0.5', true],
    ['br;q=1.0, gzip;q=0.8, *;q=0.1', true],
    ['*', true],
    ['deflate,gzip ; q=1', true],
    ['', false],
    ['identity', false],
    ['gzip;q=0', false],
    ['gzip;q=0.000', false],
    ['gzip;q=0, *', false],
    ['*;q=0', false],
    ['gzipped', false],
    ['br', false],
    ['gzip;q=never', false],
  ])('Accept-Encoding %j asks for gzip: %s', (header, isAccepted) => {
    expect(acceptsGzip(header)).toBe(isAccepted);
  });
});

describe('a publication', () => {
  test('is seen by the next read of every path, with new bytes and a new ETag', async () => {
    const before = await Promise.all(PREPARED.map((path) => service.call(path)));
    const book = await service.publish(marketInputs(0.06));
    expect(bookHashHolds(book)).toBe(true);
    for (const [i, path] of PREPARED.entries()) {
      const known = { 'if-none-match': before[i].headers.etag };
      const after = await service.call(path, { headers: known });
      expect([path, after.status]).toEqual([path, 200]);
      expect(after.headers.etag).not.toBe(before[i].headers.etag);
      expect(after.body.equals(before[i].body)).toBe(false);
    }
    const [limits, brackets] = [
      await service.call('/v1/limits'),
      await service.call('/v1/markets/BTCUSDT/brackets'),
    ];
    expect(limits.json).toMatchObject({ version: book.version, hash: book.hash });
    expect(brackets.json.brackets[0].maxLeverage).toBeLessThan(
      JSON.parse(before[2].text).brackets[0].maxLeverage,
    );
  });

  test('that cannot be written out leaves the book before in place, whole', async () => {
    const before = await service.call('/v1/limits');
    const book = service.plane.currentBook();
    if (book === null) throw new Error('there is a book');
    const impossible = { ...book, version: book.version + 1, hash: 'impossible', validUntil: Number.NaN };
    expect(() => service.plane.show(impossible, NO_FACTS)).toThrow();
    const after = await service.call('/v1/limits');
    expect([after.status, after.headers.etag]).toEqual([200, before.headers.etag]);
    service.plane.show(book, NO_FACTS);
  });
});

const NO_FACTS = {
  fallbackReason: null,
  lastObservationBySource: {},
  coverage: [],
  origins: [],
  seen: NOTHING_SEEN,
  seconds: 0,
};

describe('when the validity of a book is over', () => {
  test('every read says so: degraded, a Warning, other bytes', async () => {
    const sound = await TestService.start({ books: 0 });
    try {
      const book = await sound.publish(marketInputs().slice(0, 1));
      const isDegraded = async (path: string) => (await sound.call(path)).json.degraded;
      const bookPaths = PREPARED.slice(0, 4);
      const all = [...bookPaths, '/v1/markets/BTCUSDT/brackets?notional=1', '/v1/users/u/caps'];
      const before = await sound.call('/v1/limits');
      sound.clock.set(book.validUntil);
      for (const path of all) expect([path, await isDegraded(path)]).toEqual([path, false]);
      sound.clock.advance(1);
      for (const path of all) {
        const after = await sound.call(path);
        expect([path, after.json.degraded, after.headers.warning]).toEqual([
          path,
          true,
          '110 plimsoll "the validity of these limits is over"',
        ]);
      }
      const known = { 'if-none-match': before.headers.etag };
      expect((await sound.call('/v1/limits', { headers: known })).status).toBe(200);
      expect((await sound.call('/v1/markets/BTCUSDT/forecast')).headers.warning).toBeDefined();
      expect((await sound.call('/readyz')).json).toMatchObject({
        ready: true,
        degraded: true,
        reasons: ['LIMITS_EXPIRED'],
      });
      const order = { userId: 'u', symbol: 'BTCUSDT', side: 'long', notional: '1', leverage: 1 };
      const check = await sound.post('/v1/checks', order);
      expect([check.json.degraded, check.headers.warning]).toEqual([true, expect.any(String)]);
      await sound.publish(marketInputs().slice(0, 1), DECIDED_AT + 7 * HOUR);
      for (const path of all) expect([path, await isDegraded(path)]).toEqual([path, false]);
    } finally {
      await sound.stop();
    }
  });
});
