import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isWriteScope, ROLE_SCOPES, ROLES, SCOPES } from '../../control/ports.ts';
import { ACCOUNT, EXAMPLES, ORDER } from '../route-examples.fixture.ts';
import { ROUTES } from '../routes.ts';
import { sha256Of, TestService } from '../test-service.ts';

const keyOf = (name: string): string => `key-of-${name}-in-the-tests_0123456789`;
const as = (name: string) => ({ authorization: `Bearer ${keyOf(name)}` });
const known = (name: string) => ({ name, sha256: sha256Of(keyOf(name)) });

let service: TestService;
beforeAll(async () => {
  service = await TestService.start({
    keys: [
      ...ROLES.map((role) => ({ ...known(role), role })),
      { ...known('narrow'), role: 'operator', scopes: ['limits:read', 'users:write'] },
      { ...known('narrow-approver'), role: 'approver', scopes: ['governance:approve'] },
      { ...known('desk'), role: 'exchange', subjects: ['desk-', 'user-17', 'a-1'] },
      { ...known('brief'), role: 'reader', expiresAt: Date.parse('2030-01-01T00:00:00Z') },
    ],
  });
});
afterAll(() => service.stop());

describe('the table of routes', () => {
  test('gives every route a scope that exists, and nothing that changes something a scope of reading', () => {
    for (const { path, method, scope } of ROUTES) {
      expect([path, [...SCOPES, 'open']]).toEqual([path, expect.arrayContaining([scope])]);
      if (method === 'put' || method === 'delete')
        expect([path, scope !== 'open' && isWriteScope(scope)]).toEqual([path, true]);
    }
    expect(ROUTES.filter(({ scope }) => scope === 'open').map(({ path }) => path)).toEqual([
      '/livez',
      '/readyz',
    ]);
  });

  test('lets each role through exactly where it has the scope, over HTTP', async () => {
    for (const route of ROUTES) {
      if (route.isStream || route.isJudgedByRules || route.venue !== undefined || route.scope === 'open')
        continue;
      const [path, call] = EXAMPLES[route.operationId];
      for (const role of ROLES) {
        const { status } = await service.call(path, { ...call, headers: { ...call?.headers, ...as(role) } });
        const isIn = ROLE_SCOPES[role].has(route.scope);
        expect([route.operationId, role, status === 403]).toEqual([route.operationId, role, !isIn]);
      }
    }
  });

  test('leaves governance to its rules, which let only operators and approvers change anything', async () => {
    for (const role of ['reader', 'exchange', 'data-scientist']) {
      const refused = await service.post('/v1/freeze', { reason: 'a test' }, as(role));
      expect([role, refused.status, refused.json.code]).toEqual([role, 403, 'FORBIDDEN']);
    }
    const { json } = await service.call('/v1/audit', { headers: as('reader') });
    expect(json.entries.filter(({ kind }: { kind: string }) => kind === 'refusal')).toHaveLength(3);
    expect((await service.post('/v1/freeze', { reason: 'a test' }, as('operator'))).status).toBe(200);
  });
});

describe('a key with fewer scopes than its role', () => {
  test('has those alone, on routes, documents, prepared reads and where rules judge the role', async () => {
    const get = async (path: string) => (await service.call(path, { headers: as('narrow') })).status;
    expect(await get('/v1/limits')).toBe(200);
    expect((await service.put('/v1/users/u1', { maxLeverage: 5 }, as('narrow'))).status).toBe(200);
    for (const path of ['/v1/audit', '/metrics', '/docs', '/v1/system', '/v1/stream'])
      expect([path, await get(path)]).toEqual([path, 403]);
    expect((await service.post('/v1/freeze', { reason: 'x' }, as('narrow'))).status).toBe(403);
    for (const path of ['/v1/limits', '/v1/markets/BTCUSDT/brackets'])
      expect((await service.call(path, { headers: as('narrow-approver') })).status).toBe(403);
    const settled = await service.post(
      '/v1/approvals/override-99',
      { decision: 'approve', reason: 'x' },
      as('narrow-approver'),
    );
    expect(settled.json.code).toBe('CHANGE_UNKNOWN');
  });
});

describe('a key of some users only', () => {
  const refused = async (answer: Promise<{ status: number; json: { code: string } }>): Promise<void> => {
    const { status, json } = await answer;
    expect([status, json.code]).toEqual([403, 'SUBJECT_FORBIDDEN']);
  };
  const lines = (...accounts: object[]) =>
    service.call('/v1/accounts/batch', {
      method: 'POST',
      headers: { ...as('desk'), 'content-type': 'application/x-ndjson' },
      body: accounts.map((account) => JSON.stringify(account)).join('\n'),
    });

  test('reads, checks and writes for those', async () => {
    const own = { ...ACCOUNT, accountId: 'desk-a', userId: 'desk-u' };
    expect((await service.put('/v1/accounts/desk-a', own, as('desk'))).status).toBe(200);
    expect((await lines(own, ACCOUNT)).json).toMatchObject({ total: 2, accepted: 2 });
    expect((await service.post('/v1/checks', ORDER, as('desk'))).status).toBe(200);
    expect((await service.put('/v1/users/desk-u', {}, as('desk'))).status).toBe(200);
    for (const path of [
      '/v1/limits',
      '/v1/system',
      '/v1/accounts/desk-a/margin',
      '/v1/users/desk-u/caps',
      '/v1/interventions?userId=desk-u',
      '/fapi/v1/leverageBracket',
    ])
      expect([path, (await service.call(path, { headers: as('desk') })).status]).toEqual([path, 200]);
  });

  test('is refused whatever names another user or account, in the address, the query, the body or a line', async () => {
    const get = (path: string) => service.call(path, { headers: as('desk') });
    const own = { ...ACCOUNT, accountId: 'desk-a', userId: 'desk-u' };
    await refused(get('/v1/users/other/caps'));
    await refused(get('/v1/users/desk-u/caps?accountId=other'));
    await refused(get('/v1/accounts/other/margin'));
    await refused(get('/v1/interventions?userId=desk-u&accountId=other'));
    await refused(service.put('/v1/users/other', {}, as('desk')));
    await refused(service.put('/v1/accounts/desk-a', { ...own, userId: 'other' }, as('desk')));
    await refused(service.put('/v1/accounts/other', { ...own, accountId: undefined }, as('desk')));
    await refused(service.post('/v1/checks', { ...ORDER, userId: 'other' }, as('desk')));
    await refused(service.post('/v1/margin/simulate', { account: { ...own, userId: 'other' } }, as('desk')));
    await refused(lines(own, { ...own, userId: 'other' }));
    await refused(lines(own, { ...own, accountId: 'other' }));
  });

  test('is refused what may tell of anybody, by default', async () => {
    for (const path of ['/v1/interventions', '/v1/audit', '/v1/changes', '/v1/stream', '/v1/audit/1'])
      await refused(service.call(path, { headers: as('desk') }));
  });
});

test('a key counts until it expires, and not a millisecond longer', async () => {
  const clock = service.clock.now();
  const read = async () => (await service.call('/v1/limits', { headers: as('brief') })).json;
  service.clock.set(Date.parse('2030-01-01T00:00:00Z') - 1);
  expect((await read()).version).toBe(1);
  service.clock.set(Date.parse('2030-01-01T00:00:00Z'));
  expect((await read()).code).toBe('KEY_EXPIRED');
  service.clock.set(clock);
});

test('whoever is not let in is counted by why, and logged without anything of the key', async () => {
  const before = service.warnings.length;
  await service.call('/v1/limits');
  await service.call('/v1/limits', { headers: { authorization: 'Bearer some-key-that-nobody-knows' } });
  await service.put('/v1/users/u1', {}, as('reader'));
  await service.call('/v1/users/other/caps', { headers: as('desk') });
  const told = service.warnings.slice(before).map((line) => JSON.parse(line));
  expect(told).toMatchObject([
    { why: 'key_missing', code: 'UNAUTHENTICATED' },
    { why: 'key_unknown', code: 'FORBIDDEN' },
    { why: 'scope', code: 'FORBIDDEN', route: '/v1/users/{id}' },
    { why: 'subject', code: 'SUBJECT_FORBIDDEN', route: '/v1/users/{id}/caps' },
  ]);
  const { text } = await service.call('/metrics', { headers: as('reader') });
  for (const why of ['key_missing', 'key_unknown', 'scope', 'subject'])
    expect(
      Number(new RegExp(`access_refusals_total\\{reason="${why}"\\} (\\d+)`).exec(text)?.[1]),
    ).toBeGreaterThan(0);
  const everything = [...service.warnings, ...service.errors, text].join('\n');
  for (const secret of [
    'some-key-that-nobody-knows',
    ...ROLES.map(keyOf),
    keyOf('desk'),
    sha256Of(keyOf('desk')),
  ])
    expect(everything).not.toContain(secret);
});
