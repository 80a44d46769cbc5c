import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isoTime } from '../clock.ts';
import { DECIDED_AT, HOUR } from '../limits/test-inputs.ts';
import { CONTRACT, EXAMPLES, ORDER } from './route-examples.fixture.ts';
import { ROUTES, type Route } from './routes.ts';
import { problemSchema } from './schemas.ts';
import { type Answer, marketInputs, TestService } from './test-service.ts';

let service: TestService;

beforeAll(async () => {
  service = await TestService.start({ books: 2 });
  await service.put('/v1/users/user-17', { maxLeverage: 8 });
  await service.store.recordTrainingRun({
    id: 'run-1',
    startedAt: DECIDED_AT - HOUR,
    finishedAt: null,
    result: 'running',
    modelVersion: null,
    trigger: 'schedule',
    message: '',
  });
});

afterAll(() => service.stop());

/** A refusal that a program can tell apart and a person can act on. */
function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  const problem = problemSchema.parse(answer.json);
  expect({ status: answer.status, inBody: problem.status, code: problem.code }).toEqual({
    status,
    inBody: status,
    code,
  });
  expect(problem.detail.length).toBeGreaterThan(5);
  expect(problem.remedy?.length).toBeGreaterThan(5);
  expect(problem.type).toBe(`/docs/errors#${code}`);
  expect(answer.headers['cache-control']).toBe('no-store');
}

function callOf(route: Route): Promise<Answer> {
  const [path, call] = EXAMPLES[route.operationId];
  return service.call(path, call);
}

/** A stream has tests of its own. */
const ANSWERED = ROUTES.filter(({ isStream }) => !isStream);

describe('every route of the table', () => {
  test('has an example here, so that none goes untested', () => {
    expect(Object.keys(EXAMPLES).sort()).toEqual(ANSWERED.map(({ operationId }) => operationId).sort());
  });

  test.each(ANSWERED.map((route) => [route.operationId, route] as const))(
    '%s answers exactly what its schema declares, no field more or less',
    async (_, route) => {
      const answer = await callOf(route);
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(route.answer.parse(answer.json)).toEqual(answer.json);
      expect(answer.headers['x-content-type-options']).toBe('nosniff');
    },
  );

  test.each(Object.entries(CONTRACT))('%s has the fields that the contract names', async (id, shapes) => {
    const { json } = await callOf(ROUTES.find(({ operationId }) => operationId === id) as Route);
    for (const [path, fields] of Object.entries(shapes)) {
      let value = json;
      for (const key of path.split('.').filter(Boolean)) {
        value = value[key];
        if (Array.isArray(value)) value = value[0];
      }
      expect(Object.keys(value), path).toEqual(expect.arrayContaining(fields.split(' ')));
    }
  });

  test.each([
    ['/v1/markets', 'markets', 5],
    ['/v1/limits', 'markets', 5],
    ['/v1/users/user-17/caps', 'caps', 5],
    ['/v1/models', 'models', 1],
    ['/v1/training/runs', 'runs', 1],
    ['/v1/markets/BTCUSDT/history', 'changes', 1],
  ])('%s says how many there are, so that a partial answer is noticed', async (path, list, total) => {
    const { json } = await service.call(path);
    expect(json.total).toBe(total);
    expect(json[list]).toHaveLength(total);
  });
});

describe('a market', () => {
  test('whose data are rejected is listed with the most conservative schedule, and empties no other', async () => {
    const { json } = await service.call('/v1/limits');
    const bySymbol = Object.fromEntries(
      json.markets.map((market: { symbol: string }) => [market.symbol, market]),
    );
    expect(Object.keys(bySymbol)).toEqual(['AURUSDT', 'BTCUSDT', 'ETHUSDT', 'RUNEUSDT', 'SOLUSDT']);
    expect(bySymbol.RUNEUSDT.maxLeverage).toBe(1);
    expect(bySymbol.RUNEUSDT.bindingBound).toBe('dataQuality');
    expect(bySymbol.BTCUSDT.maxLeverage).toBeGreaterThan(1);
    expect(json.degraded).toBe(true);
    expect(json.reasons).toContain('DATA_REJECTED');
  });

  test.each(['brackets', 'explain', 'history', 'forecast', 'sensitivity'])(
    'that does not exist has no %s: 404; one in lower case is told what a market is called',
    async (view) => {
      expectProblem(await service.call(`/v1/markets/NOPEUSDT/${view}`), 404, 'MARKET_UNKNOWN');
      const lower = await service.call(`/v1/markets/btcusdt/${view}`);
      expectProblem(lower, 400, 'INPUT_INVALID');
      expect(lower.json.errors).toEqual([
        { path: 'symbol', message: 'a market is 2 to 30 capital letters, digits and _' },
      ]);
    },
  );

  test('answers the one bracket of a notional; an edge belongs to the lower bracket', async () => {
    const { json } = await service.call('/v1/markets/BTCUSDT/brackets');
    const [first, second] = json.brackets;
    const at = async (notional: string) =>
      (await service.call(`/v1/markets/BTCUSDT/brackets?notional=${notional}`)).json.brackets;
    expect(await at('0')).toEqual([first]);
    expect(await at(first.notionalCap)).toEqual([first]);
    expect(await at(`${first.notionalCap}.000000000001`)).toEqual([second]);
  });

  test('refuses a notional above its last cap instead of clamping it', async () => {
    const { json } = await service.call('/v1/markets/BTCUSDT/brackets');
    const last = json.brackets.at(-1).notionalCap;
    expect((await service.call(`/v1/markets/BTCUSDT/brackets?notional=${last}`)).json.brackets).toEqual([
      json.brackets.at(-1),
    ]);
    const refused = await service.call(`/v1/markets/BTCUSDT/brackets?notional=${last}.1`);
    expectProblem(refused, 400, 'INPUT_INVALID');
    expect(refused.json.detail).toContain(last);
  });

  test.each(['-1', '1e3', '', '0x10', '1,5', 'NaN', '9'.repeat(16), '%00', '1&notional=2'])(
    'refuses the notional %j',
    async (notional) => {
      expectProblem(
        await service.call(`/v1/markets/BTCUSDT/brackets?notional=${notional}`),
        400,
        'INPUT_INVALID',
      );
    },
  );

  test('answers what was in force at a time, and 404 for a time before the first book', async () => {
    const at = (time: number) => service.call(`/v1/markets/BTCUSDT/brackets?asOf=${isoTime(time)}`);
    expect((await at(DECIDED_AT)).json.version).toBe(1);
    expect((await at(DECIDED_AT + HOUR - 1)).json.version).toBe(1);
    expect((await at(DECIDED_AT + HOUR)).json.version).toBe(2);
    expectProblem(await at(DECIDED_AT - 1), 404, 'NOT_FOUND');
    expectProblem(await service.call('/v1/markets/BTCUSDT/brackets?asOf=yesterday'), 400, 'INPUT_INVALID');
  });

  test('says degraded for a time at which the validity of what was in force was over', async () => {
    const sound = await TestService.start({ books: 0 });
    try {
      const only = await sound.publish(marketInputs().slice(0, 1));
      const at = (time: number) => sound.call(`/v1/markets/BTCUSDT/brackets?asOf=${isoTime(time)}`);
      const within = await at(only.validUntil);
      expect([within.json.degraded, within.headers.warning]).toEqual([false, undefined]);
      const after = await at(only.validUntil + 1);
      expect([after.json.degraded, after.headers.warning]).toEqual([true, expect.stringContaining('110')]);
    } finally {
      await sound.stop();
    }
  });

  test('has a history with the newest change first, bounded by limit', async () => {
    const tight = await TestService.start();
    try {
      await tight.publish(marketInputs(0.05));
      await tight.publish(marketInputs(0.09));
      const { json } = await tight.call('/v1/markets/BTCUSDT/history');
      expect(json.changes.map(({ version }: { version: number }) => version)).toEqual([3, 2, 1]);
      expect(json.changes[0].move).toBe('tighten');
      expect((await tight.call('/v1/markets/BTCUSDT/history?limit=1')).json.changes).toEqual([
        json.changes[0],
      ]);
    } finally {
      await tight.stop();
    }
  });
});

describe('before the first book', () => {
  let empty: TestService;
  beforeAll(async () => {
    empty = await TestService.start({ books: 0 });
  });
  afterAll(() => empty.stop());

  test.each([
    '/v1/limits',
    '/v1/markets',
    '/v1/markets/BTCUSDT/brackets',
    '/v1/markets/BTCUSDT/explain',
    '/v1/markets/BTCUSDT/forecast',
    '/v1/markets/BTCUSDT/history',
    '/v1/users/user-17/caps',
  ])('%s is 503 and asks to come back, and is no empty table', async (path) => {
    const answer = await empty.call(path);
    expectProblem(answer, 503, 'NOTHING_PUBLISHED');
    expect(answer.headers['retry-after']).toBe('5');
  });

  test('a check is 503: no order is allowed without limits', async () => {
    expectProblem(await empty.post('/v1/checks', ORDER), 503, 'NOTHING_PUBLISHED');
  });

  test('the service is alive but not ready, and the console is there', async () => {
    expect((await empty.call('/livez')).status).toBe(200);
    const ready = await empty.call('/readyz');
    expect(ready.status).toBe(503);
    expect(ready.json).toMatchObject({ ready: false, degraded: true, reasons: ['NOTHING_PUBLISHED'] });
    const page = await empty.call('/');
    expect(page.status).toBe(200);
    expect(page.text).toContain('<div id="console">');
  });

  test('user policies can be written and are kept', async () => {
    expect((await empty.put('/v1/users/early', { maxLeverage: 3 })).status).toBe(200);
    expect(await empty.store.user('early')).toMatchObject({ maxLeverage: 3 });
  });
});

describe('what cannot be answered', () => {
  test.each(['/nothing', '/v1', '/v1/limits/', '/V1/limits', '/docs/assets/../../package.json', '//'])(
    '%s is 404',
    async (path) => {
      expectProblem(await service.call(path), 404, 'NOT_FOUND');
    },
  );

  test('an audit entry that does not exist is 404, one that cannot is 400', async () => {
    expectProblem(await service.call('/v1/audit/999999'), 404, 'NOT_FOUND');
    for (const id of ['0', '-1', '1.5', 'x', '99999999999999999999'])
      expectProblem(await service.call(`/v1/audit/${id}`), 400, 'INPUT_INVALID');
  });

  test.each([
    ['DELETE', '/v1/limits', 'GET, HEAD'],
    ['POST', '/v1/markets/BTCUSDT/brackets', 'GET, HEAD'],
    ['GET', '/v1/checks', 'POST'],
    ['PATCH', '/v1/users/user-17', 'PUT, GET, HEAD'],
    ['OPTIONS', '/v1/limits', 'GET, HEAD'],
    ['POST', '/docs', 'GET, HEAD'],
    ['POST', '/metrics', 'GET, HEAD'],
    ['PUT', '/', 'GET, HEAD'],
  ])('%s %s is 405 and says what is allowed', async (method, path, allow) => {
    const answer = await service.call(path, { method });
    expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.allow).toBe(allow);
  });

  test.each([
    ['no content type', { body: Buffer.from(JSON.stringify(ORDER)) }],
    ['text', { body: JSON.stringify(ORDER), headers: { 'content-type': 'text/plain' } }],
    ['an unknown encoding', { body: ORDER, headers: { 'content-encoding': 'zstd-17' } }],
    ['an unknown charset', { body: '{}', headers: { 'content-type': 'application/json; charset=x' } }],
  ])('a body with %s is 415', async (_, call) => {
    expectProblem(await service.call('/v1/checks', { method: 'POST', ...call }), 415, 'NOT_ACCEPTABLE_BODY');
  });

  test.each([65_536, 1_000_000])('a body of more than 64 KiB (%i bytes of text) is 413', async (length) => {
    const answer = await service.post('/v1/checks', { ...ORDER, userId: 'x'.repeat(length) });
    expectProblem(answer, 413, 'BODY_TOO_LARGE');
  });

  test.each([
    ['no JSON', '{"userId":'],
    ['an array', '[]'],
    ['a number', '17'],
    ['nothing', ''],
  ])('a body that is %s is 400', async (_, body) => {
    const headers = { 'content-type': 'application/json' };
    expectProblem(await service.call('/v1/checks', { method: 'POST', headers, body }), 400, 'INPUT_INVALID');
  });

  test('a body with many faults names at most twenty, briefly', async () => {
    const wrong = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`unknown${i}`, i]));
    const answer = await service.post('/v1/checks', { ...wrong, side: 'up' });
    expectProblem(answer, 400, 'INPUT_INVALID');
    expect(answer.json.errors.length).toBeLessThanOrEqual(20);
    expect(answer.json.errors.map(({ path }: { path: string }) => path)).toContain('side');
    expect(answer.body.length).toBeLessThan(10_000);
  });

  test('an address that is too long, or not encoded, is 400', async () => {
    expectProblem(await service.call(`/v1/limits?${'x'.repeat(3000)}`), 400, 'INPUT_INVALID');
    expectProblem(await service.call('/v1/markets/%zz/brackets'), 400, 'INPUT_INVALID');
  });

  test('every refusal carries the request id that was given, or one of its own', async () => {
    const given = await service.call('/nothing', { headers: { 'x-request-id': 'trace.17' } });
    expect([given.json.instance, given.headers['x-request-id']]).toEqual(['trace.17', 'trace.17']);
    const own = await service.call('/nothing', { headers: { 'x-request-id': 'not a good id' } });
    expect(own.json.instance).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a failure inside is 500 without its text, which may hold paths; the log has it under the request id', async () => {
    const broken = await TestService.start();
    try {
      const database = new DatabaseSync(join(broken.folder, 'state.sqlite'));
      database.exec("UPDATE audit SET body = replace(body, 'cycle', 'night')");
      database.close();
      const answer = await broken.call('/v1/audit');
      expectProblem(answer, 500, 'CHAIN_BROKEN');
      expect(answer.text).not.toContain(broken.folder);
      expect(broken.errors[0]).toContain(broken.folder);
      expect(broken.errors[0]).toContain(answer.json.instance);
      expect((await broken.call('/v1/limits')).status).toBe(200);
    } finally {
      await broken.stop();
    }
  });

  test('a port that is taken is told as such', async () => {
    const port = Number(new URL(service.url).port);
    const second = await TestService.start();
    await second.service.stop(100);
    await expect(second.service.start({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('another program listens there'),
    });
    await second.stop();
  });
});
