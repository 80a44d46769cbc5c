import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { venueOf } from './exchange/venues.ts';
import { ROUTES } from './routes.ts';
import { sha256Of, TestService } from './test-service.ts';

const READER = 'reader-key-of-the-tests/with+signs=';
const OFFICER = 'officer-key-of-the-tests_0123456789';

function bearer(key: string): { authorization: string } {
  return { authorization: `Bearer ${key}` };
}

describe('with configured keys', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await TestService.start({
      keys: [
        { name: 'desk', role: 'reader', sha256: sha256Of(READER) },
        { name: 'officer', role: 'operator', sha256: sha256Of(OFFICER) },
      ],
    });
  });
  afterAll(() => service.stop());

  const reads = [
    ...ROUTES.filter(({ method, isStream }) => method === 'get' && !isStream).map(({ path }) =>
      path.replace('{symbol}', 'BTCUSDT').replace('{id}', '1'),
    ),
    '/metrics',
    '/docs',
    '/openapi.json',
    '/nothing/here',
  ];
  const open = ['/livez', '/readyz'];

  test.each(reads.filter((path) => venueOf(path) !== undefined))(
    '%s is closed too, and says so as its exchange would',
    async (path) => {
      for (const call of [{}, { headers: bearer('some-other-key') }, { method: 'HEAD' }]) {
        const refused = await service.call(path, call);
        expect(refused.status).toBe(401);
        if (refused.json !== undefined)
          expect(venueOf(path)?.refusalSchema.parse(refused.json)).toEqual(refused.json);
      }
      expect((await service.call(`${path}?x=1`)).status).toBe(401);
    },
  );

  test.each(reads.filter((path) => !open.includes(path) && venueOf(path) === undefined))(
    '%s is closed without a key and with a wrong one',
    async (path) => {
      const without = await service.call(path);
      expect([without.status, without.json.code]).toEqual([401, 'UNAUTHENTICATED']);
      const wrong = await service.call(path, { headers: bearer('some-other-key') });
      expect([wrong.status, wrong.json.code]).toEqual([403, 'FORBIDDEN']);
      expect((await service.call(path, { method: 'HEAD' })).status).toBe(401);
      expect((await service.call(`${path}?x=1`)).status).toBe(401);
    },
  );

  test.each(open)('%s is open: whoever watches the process has no key', async (path) => {
    expect((await service.call(path)).status).toBe(200);
  });

  test('either role reads, prepared answers and others alike', async () => {
    for (const key of [READER, OFFICER]) {
      for (const path of ['/v1/limits', '/v1/markets/BTCUSDT/history', '/metrics'])
        expect((await service.call(path, { headers: bearer(key) })).status).toBe(200);
    }
  });

  test('a reader does not write, an operator does, and the audit names who', async () => {
    const refused = await service.put('/v1/users/u1', { maxLeverage: 5 }, bearer(READER));
    expect([refused.status, refused.json.code]).toEqual([403, 'FORBIDDEN']);
    expect(service.plane.userNow('u1')).toBeNull();
    expect((await service.put('/v1/users/u1', { maxLeverage: 5 }, bearer(OFFICER))).status).toBe(200);
    const { json } = await service.call('/v1/audit', { headers: bearer(READER) });
    expect(json.entries.at(-1)).toMatchObject({ kind: 'user-policy', actor: 'officer', subject: 'u1' });
  });

  test('a check needs a key as every other question does', async () => {
    const order = { userId: 'u1', symbol: 'BTCUSDT', side: 'long', notional: '1000', leverage: 2 };
    expect((await service.post('/v1/checks', order)).status).toBe(401);
    expect((await service.post('/v1/checks', order, bearer(READER))).status).toBe(200);
  });

  test('no answer and no log line shows a key', async () => {
    const answers = [
      await service.call('/v1/limits', { headers: bearer('some-other-key') }),
      await service.call('/v1/audit', { headers: bearer(OFFICER) }),
      await service.call('/metrics', { headers: bearer(OFFICER) }),
    ];
    const everything = [...answers.map(({ text }) => text), ...service.errors].join('\n');
    for (const secret of [READER, OFFICER, 'some-other-key', sha256Of(OFFICER)])
      expect(everything).not.toContain(secret);
  });
});
