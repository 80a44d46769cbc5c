import { connect, type Socket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../random.ts';
import { venueOf } from './exchange/venues.ts';
import { ACCOUNT } from './route-examples.fixture.ts';
import { ROUTES } from './routes.ts';
import { problemSchema } from './schemas.ts';
import { type Answer, OPERATOR, TestService } from './test-service.ts';

const SEED = 20240601;
let service: TestService;
let empty: TestService;

beforeAll(async () => {
  [service, empty] = [await TestService.start({ books: 2 }), await TestService.start({ books: 0 })];
});

afterAll(async () => {
  await service.stop();
  await empty.stop();
});

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '__proto__',
    'constructor',
    '..',
    '%00',
    '%',
    '%ff',
    '%2e%2e%2f',
    '\u{1f680}',
    '0',
    '-1',
    '1e308',
    '',
  ),
);
const anySegment = fc.oneof(
  fc.constantFrom('BTCUSDT', 'RUNEUSDT', 'user-17', '1', '999999999999999999', 'nobody', '%E0%A4%A', '%00'),
  anyText.map((text) => encodeURIComponent(text.toWellFormed())),
);
const anyNumberText = fc.oneof(
  fc.double().map(String),
  fc.bigInt().map(String),
  fc.constantFrom(
    'NaN',
    '-0',
    '0x10',
    '9'.repeat(400),
    '1e999',
    '2024-01-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
  ),
);
const anyQuery = fc.array(
  fc.tuple(
    fc.constantFrom('notional', 'asOf', 'limit', 'after', 'symbol', '__proto__', 'constructor', 'x[y]', ''),
    fc.oneof(anyNumberText, anyText),
  ),
  { maxLength: 4 },
);
/** Parameters in the words of exchanges. */
const anyVenueQuery = fc.array(
  fc.tuple(
    fc.constantFrom(
      'category',
      'symbol',
      'cursor',
      'limit',
      'instType',
      'tdMode',
      'mgnMode',
      'uly',
      'instId',
    ),
    fc.oneof(
      fc.constantFrom('linear', 'SWAP', 'cross', 'BTC-USDT', 'BTC-USDT-SWAP', 'BTCUSDT', 'spot'),
      anyNumberText,
      anyText,
    ),
  ),
  { maxLength: 5 },
);
const methods = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'];
const known: readonly (readonly [method: string, path: string])[] = [
  ...ROUTES.filter(({ isStream }) => !isStream).map(
    ({ method, path }) => [method.toUpperCase(), path] as const,
  ),
  ...['/', '/docs', '/openapi.json', '/metrics'].map((path) => ['GET', path] as const),
];
/** Mostly a method that the path answers, so that what lies behind is reached. */
const anyTarget = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...known), anySegment)
      .map(([[method, path], segment]) => [method, path.replace(/\{\w+\}/, () => segment)] as const),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...methods), fc.constantFrom(...known.map(([, path]) => path))),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom(...methods),
      fc.array(anySegment, { maxLength: 6 }).map((parts) => `/${parts.join('/')}`),
    ),
  },
);
const anyQueryText = fc.oneof(anyQuery, anyVenueQuery).map((query) => {
  const pairs = query.map((pair) => pair.map((text) => encodeURIComponent(text.toWellFormed())).join('='));
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
});

const wrongValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(1e308, -0, 5e-324, '1e3', '9'.repeat(30), null, [], {}, '\u0000', '\ud800'),
);
const order = { userId: 'u', symbol: 'BTCUSDT', side: 'long', notional: '1', leverage: 5 };
/** Bodies that are nearly right: one field of a good one replaced, added or taken away. */
const nearlyRight = fc
  .tuple(
    fc.constantFrom<object>(order, { maxLeverage: 5 }, { account: ACCOUNT }),
    fc.constantFrom(...Object.keys(order), 'account', 'prices', 'brackets', '__proto__', 'x'),
    wrongValue,
  )
  .map(([good, key, value]) => {
    const fields = Object.entries({ ...good }).filter(([name]) => name !== key);
    const members = [...fields, [key, value] as const].map(
      ([name, item]) => `${JSON.stringify(name)}:${JSON.stringify(item)}`,
    );
    return `{${members.join(',')}}`;
  });
const anyBody = fc.oneof(
  nearlyRight,
  fc.json(),
  anyText,
  fc.integer({ min: 1, max: 30_000 }).map((depth) => '['.repeat(depth)),
  fc.integer({ min: 1, max: 5_000 }).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
  fc.constantFrom(
    '',
    '{}',
    '{"maxLeverage":1e400}',
    '{"__proto__":{"maxLeverage":1}}',
    '\ufeff{}',
    '{"a":1}{"b":2}',
  ),
);
const anyHeaderValue = fc.stringMatching(/^[\x20-\x7e]{0,60}$/);
const anyHeaders = fc
  .record(
    {
      'content-type': fc.oneof({ weight: 4, arbitrary: fc.constant('application/json') }, anyHeaderValue),
      authorization: fc.oneof(
        { weight: 3, arbitrary: fc.constant(OPERATOR.authorization) },
        { weight: 1, arbitrary: fc.constant('Bearer not-the-key') },
        { weight: 1, arbitrary: anyHeaderValue },
      ),
      'if-none-match': anyHeaderValue,
      'if-match': anyHeaderValue,
      range: fc.oneof(fc.constant('bytes=5-2'), fc.constant('bytes=999999999-'), anyHeaderValue),
      'accept-encoding': anyHeaderValue,
      accept: anyHeaderValue,
      'content-encoding': fc.constantFrom('gzip', 'br', 'identity', 'deflate', 'x'),
      'x-request-id': anyHeaderValue,
      expect: fc.constantFrom('100-continue', 'a-miracle'),
      'x-forwarded-for': anyHeaderValue,
      cookie: anyHeaderValue,
    },
    { requiredKeys: [] },
  )
  // A client that announces a body waits for the answer to a real expectation only.
  .filter((headers) => Object.values(headers).every((value) => value.trim() === value));

describe('whatever is asked', () => {
  test('is answered with what is declared or with a problem, never with a failure', async () => {
    const statuses = new Map<number, number>();
    const request = fc.tuple(anyTarget, anyQueryText, anyHeaders, anyBody, fc.integer({ min: 0, max: 3 }));
    await fc.assert(
      fc.asyncProperty(request, async ([[method, place], query, headers, body, quarter]) => {
        const path = place + query;
        const target = quarter > 0 ? service : empty;
        const answer = await target.call(path, { method, headers, body });
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        expect(answer.status < 500 || answer.status === 503, `${answer.status} ${answer.text}`).toBe(true);
        if (method === 'HEAD' || answer.status === 304) expect(answer.body.length).toBe(0);
        else if (answer.status >= 400 && !isUnready(path, answer) && answer.json !== undefined) {
          const venue = venueOf(path);
          const type = venue === undefined ? 'application/problem+json' : 'application/json';
          expect(answer.headers['content-type']).toBe(`${type}; charset=utf-8`);
          if (venue === undefined) expect(problemSchema.parse(answer.json).status).toBe(answer.status);
          else expect(isExactly(venue.refusalSchema.safeParse(answer.json), answer.json)).toBe(true);
        } else if (answer.status === 200 && answer.json !== undefined && !path.startsWith('/openapi')) {
          const declared = ROUTES.filter((route) => route.method === method.toLowerCase());
          expect(declared.some((route) => isExactly(route.answer.safeParse(answer.json), answer.json))).toBe(
            true,
          );
        } else {
          // Pages, files and the metrics; the page at / before the first book.
          expect([200, 206, 503]).toContain(answer.status);
        }
      }),
      { seed: SEED, numRuns: 1000 },
    );
    expect([...service.errors, ...empty.errors]).toEqual([]);
    // The search must reach behind the first line of defence.
    for (const status of [200, 400, 401, 403, 404, 405, 415, 503])
      expect([status, (statuses.get(status) ?? 0) > 0]).toEqual([status, true]);
  });

  test('writes that were refused have left nothing behind', async () => {
    const { json } = await service.call('/v1/audit?limit=1000');
    const written = json.entries.filter(({ kind }: { kind: string }) => kind === 'user-policy');
    expect((await service.store.users()).length).toBe(
      new Set(written.map(({ subject }: { subject: string }) => subject)).size,
    );
    expect(await service.store.verify()).toMatchObject({ firstBadBook: null, firstBadAuditEntry: null });
    expect(({} as { maxLeverage?: number }).maxLeverage).toBeUndefined();
  });
});

/** Readiness before the first book, or the page at / then: their 503 is no problem but what was asked for. */
function isUnready(path: string, { status }: Answer): boolean {
  return status === 503 && /^\/(readyz)?(\?|$)/.test(path);
}

function isExactly(parsed: { readonly success: boolean; readonly data?: unknown }, json: unknown): boolean {
  return parsed.success && isDeepStrictEqual(parsed.data, json);
}

/** A bare connection; `received` resolves with everything that came until the other side ended it. */
function openSocket(): { readonly socket: Socket; readonly received: Promise<string> } {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  const received = new Promise<string>((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', () => resolve(text));
    socket.on('close', () => resolve(text));
  });
  return { socket, received };
}

async function expectAlive(): Promise<void> {
  expect((await service.call('/livez')).json).toEqual({ alive: true });
}

describe('bytes that are no request', () => {
  test.each([
    ['words', 'hello\r\n\r\n', 400],
    ['an unknown method', 'FLY /v1/limits HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['no host', 'GET /v1/limits HTTP/1.1\r\n\r\n', 400],
    ['a bad header', 'GET / HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n', 400],
    [
      'two lengths',
      'POST /v1/checks HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      400,
    ],
    [
      'a length and chunks (request smuggling)',
      'POST /v1/checks HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
  ])('%s get a problem and the end of the connection', async (_, bytes, status) => {
    const { socket, received } = openSocket();
    socket.write(bytes);
    const text = await received;
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const [head, body] = text.split('\r\n\r\n');
    // Node itself answers a missing host, without a body.
    if (bytes.includes('Host') || !bytes.startsWith('GET')) {
      expect(head).toContain('application/problem+json');
      expect(problemSchema.parse(JSON.parse(body))).toMatchObject({ status, code: 'INPUT_INVALID' });
    }
    await expectAlive();
  });

  test('noise on many connections at once does not take the service down', async () => {
    const random = new Random(SEED);
    const noises = Array.from({ length: 60 }, () => {
      const { socket, received } = openSocket();
      const head =
        random.uniform() < 0.5
          ? 'POST /v1/checks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
          : '';
      const noise = Buffer.from(Array.from({ length: 1 + random.integer(3000) }, () => random.integer(256)));
      socket.write(Buffer.concat([Buffer.from(head), noise]));
      if (random.uniform() < 0.3) socket.resetAndDestroy();
      else socket.end();
      return received;
    });
    const answers = await Promise.all(noises);
    expect(answers.filter((text) => text.startsWith('HTTP/1.1 400')).length).toBeGreaterThan(10);
    await expectAlive();
    expect(service.errors).toEqual([]);
  });

  test('half requests that are never finished keep nobody else from being served', async () => {
    const halves = [
      'GET /v1/lim',
      'GET /v1/limits HTTP/1.1\r\nHost: x\r\n',
      `PUT /v1/users/u HTTP/1.1\r\nHost: x\r\nAuthorization: ${OPERATOR.authorization}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"max`,
      'POST /v1/checks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"use',
    ];
    const open = Array.from({ length: 200 }, (_, i) => {
      const connection = openSocket();
      connection.socket.write(halves[i % halves.length]);
      return connection;
    });
    for (let i = 0; i < 20; i++) expect((await service.call('/v1/limits')).status).toBe(200);
    expect((await service.put('/v1/users/meanwhile', { maxLeverage: 2 })).status).toBe(200);
    for (const { socket } of open) socket.destroy();
    await Promise.all(open.map(({ received }) => received));
    await expectAlive();
    expect(service.plane.userNow('u')).toBeNull();
  });
});

describe('keep-alive', () => {
  test('requests sent without waiting are answered in their order, prepared, made and refused alike', async () => {
    const { socket, received } = openSocket();
    const paths = [
      '/livez',
      '/v1/limits',
      '/nothing',
      '/v1/audit/1',
      '/v1/markets/BTCUSDT/brackets',
      '/v1/audit/2',
    ];
    const requests = paths.map((path, i) => {
      const last = i === paths.length - 1 ? 'Connection: close\r\n' : '';
      return `GET ${path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: r${i}\r\n${last}\r\n`;
    });
    socket.write(requests.join(''));
    const text = await received;
    const bodies = text
      .split(/HTTP\/1\.1 \d{3} [^\r]+\r\n/)
      .slice(1)
      .map((part) => part.split('\r\n\r\n')[1]);
    const parsed = bodies.map((body) => JSON.parse(body));
    expect(parsed.map((json) => Object.keys(json)[0])).toEqual([
      'alive',
      'version',
      'type',
      'actor',
      'symbol',
      'actor',
    ]);
    expect([parsed[3].sequence, parsed[5].sequence]).toEqual([1, 2]);
  });

  test('a body that is refused unread is not taken for the next request', async () => {
    const { socket, received } = openSocket();
    const hidden = 'GET /v1/limits HTTP/1.1\r\nHost: x\r\n\r\n';
    socket.write(
      `PUT /v1/users/u HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${hidden.length}\r\n\r\n`,
    );
    socket.write(hidden);
    const text = await received;
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
    expect(text.toLowerCase()).toContain('connection: close');
  });

  test('stopping lets a running request end and takes no other', async () => {
    const stopping = await TestService.start();
    expect((await stopping.call('/livez')).status).toBe(200);
    await stopping.service.stop(1000);
    await expect(stopping.call('/livez')).rejects.toThrow(/ECONNREFUSED|socket hang up|ECONNRESET/);
    await stopping.stop();
  });
});
