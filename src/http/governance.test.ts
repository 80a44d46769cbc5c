import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { actedSchema, changesSchema } from './governance-schemas.ts';
import { problemSchema } from './schemas.ts';
import { type Answer, OPERATOR, sha256Of, TestService } from './test-service.ts';

const KEYS = {
  rita: 'reader-of-the-tests_0123456789',
  ann: 'ann-of-the-tests_0123456789',
  bob: 'bob-of-the-tests_0123456789',
  carol: 'carol-of-the-tests_0123456789',
} as const;
const ROLES = { rita: 'reader', ann: 'operator', bob: 'approver', carol: 'approver' } as const;
const as = (name: keyof typeof KEYS) => ({ authorization: `Bearer ${KEYS[name]}` });

let service: TestService;
let inForce: number;

beforeEach(async () => {
  const keys = Object.entries(KEYS).map(([name, key]) => ({
    name,
    role: ROLES[name as keyof typeof KEYS],
    sha256: sha256Of(key),
  }));
  service = await TestService.start({ keys });
  inForce = (await service.call('/v1/markets/BTCUSDT/brackets', { headers: as('rita') })).json.brackets[0]
    .maxLeverage;
});

afterEach(() => service.stop());

const lower = { symbol: 'BTCUSDT', maxLeverage: 2, hours: 3, reason: 'index under review' };
const higher = () => ({
  symbol: 'BTCUSDT',
  maxLeverage: inForce < 50 ? 50 : 100,
  hours: 3,
  reason: 'deep book',
});

function expectProblem(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.json.code]).toEqual([status, code]);
  expect(problemSchema.parse(answer.json).remedy?.length).toBeGreaterThan(5);
}

async function changes(query = ''): Promise<Answer['json']> {
  const { json, status } = await service.call(`/v1/changes${query}`, { headers: as('rita') });
  expect([status, changesSchema.parse(json)]).toEqual([200, json]);
  return json;
}

describe('an override', () => {
  test('that tightens is in force at once; explain names it, and the next book goes as far as one may', async () => {
    const { json } = await service.post('/v1/overrides', lower, as('ann'));
    expect(actedSchema.parse(json)).toEqual(json);
    expect(json).toMatchObject({
      revision: 1,
      change: { id: 'override-1', status: 'inForce', requestedBy: 'ann', mayLoosen: false },
      needs: null,
    });
    const explained = await service.call('/v1/markets/BTCUSDT/explain', { headers: as('rita') });
    expect(explained.json.governance.override).toMatchObject({
      id: 'override-1',
      maxLeverage: 2,
      by: 'ann',
      reason: lower.reason,
    });
    const book = await service.publish();
    const market = book.markets.find(({ symbol }) => symbol === 'BTCUSDT');
    expect(market?.bindingBound).toBe('override');
    const { previousMaxLeverage, publishedMaxLeverage, targetMaxLeverage, paced } = market?.governor ?? {};
    expect([targetMaxLeverage, paced]).toEqual([2, true]);
    expect(publishedMaxLeverage).toBe((previousMaxLeverage ?? 0) / 2);
    // What open positions are held to does not move with a cap on leverage.
    const read = await service.call('/v1/markets/BTCUSDT/brackets', { headers: as('rita') });
    expect(read.json.maintenance).not.toEqual(read.json.brackets);
    expect(read.json.announced).toEqual([]);
  });

  test('that loosens waits; who asked cannot approve, another approver can, an operator cannot', async () => {
    const asked = await service.post('/v1/overrides', higher(), as('bob'));
    expect(asked.json).toMatchObject({
      change: { status: 'pending', mayLoosen: true },
      needs: expect.stringContaining('/v1/approvals/override-1'),
      impact: { accounts: { available: false, why: expect.stringMatching(/.{10}/) } },
    });
    expect((await changes()).pending).toMatchObject([
      { id: 'override-1', impact: { market: { available: false } } },
    ]);
    const approval = { decision: 'approve', reason: 'checked' };
    const approveAs = (name: keyof typeof KEYS) =>
      service.post('/v1/approvals/override-1', approval, as(name));
    for (const name of ['bob', 'ann', 'rita'] as const)
      expectProblem(await approveAs(name), 403, 'SECOND_PERSON_NEEDED');
    expect((await approveAs('carol')).json).toMatchObject({
      change: { status: 'inForce', requestedBy: 'bob', approvedBy: 'carol', approvalReason: 'checked' },
    });
    expectProblem(await approveAs('carol'), 409, 'CONFLICT');
    expect((await changes()).pending).toEqual([]);
    const { json } = await service.call('/v1/audit', { headers: as('rita') });
    const told = json.entries.map(({ kind, actor, reason }: Record<string, string>) => [kind, actor, reason]);
    expect(told.slice(1)).toEqual([
      ['override', 'bob', 'deep book'],
      ['refusal', 'bob', 'SECOND_PERSON_NEEDED'],
      ['refusal', 'ann', 'SECOND_PERSON_NEEDED'],
      ['refusal', 'rita', 'SECOND_PERSON_NEEDED'],
      ['approval', 'carol', 'checked'],
      ['refusal', 'carol', 'CONFLICT'],
    ]);
  });

  test('is only tried with preview: nothing is written', async () => {
    const before = await service.store.auditLength();
    const { json } = await service.post('/v1/overrides', { ...lower, preview: true }, as('ann'));
    expect(actedSchema.parse(json)).toEqual(json);
    expect(json).toMatchObject({
      preview: true,
      revision: 0,
      change: { id: 'override-1', status: 'inForce' },
    });
    expect(json.impact.accounts.available).toBe(false);
    expect(await service.store.auditLength()).toBe(before);
    expect((await changes()).changes).toEqual([]);
  });

  test.each([
    ['of an unknown market', { symbol: 'NOPEUSDT' }, 404, 'MARKET_UNKNOWN'],
    ['off the ladder', { maxLeverage: 7 }, 422, 'LEVERAGE_INVALID'],
    ['beyond the ceiling', { maxLeverage: 1e6 }, 422, 'LEVERAGE_INVALID'],
    ['without an end', { hours: undefined }, 422, 'EXPIRY_INVALID'],
    ['that is over', { hours: undefined, expiresAt: '2020-01-01T00:00:00Z' }, 422, 'EXPIRY_INVALID'],
    ['that never ends', { hours: undefined, expiresAt: '9999-12-31T23:59:59Z' }, 422, 'EXPIRY_INVALID'],
    ['without a reason', { reason: undefined }, 400, 'INPUT_INVALID'],
    ['with an empty reason', { reason: '   ' }, 400, 'INPUT_INVALID'],
    ['with a field that is not known', { leverage: 3 }, 400, 'INPUT_INVALID'],
  ])('%s is refused', async (_, fault, status, code) => {
    expectProblem(await service.post('/v1/overrides', { ...lower, ...fault }, as('ann')), status, code);
    expect((await changes()).changes).toEqual([]);
  });
});

describe('a freeze', () => {
  const thaw = (query: string, body?: unknown, name: keyof typeof KEYS = 'ann') =>
    service.call(`/v1/freeze${query}`, {
      method: 'DELETE',
      headers: as(name),
      ...(body === undefined ? {} : { body }),
    });

  test('stops every limit, and is thawed by query or body, with a reason', async () => {
    await service.post('/v1/freeze', { reason: 'prices are disputed' }, as('ann'));
    await service.post('/v1/freeze', { symbol: 'ETHUSDT', hours: 1, reason: 'more so' }, as('ann'));
    const explained = await service.call('/v1/markets/ETHUSDT/explain', { headers: as('rita') });
    expect(explained.json.governance.freeze).toMatchObject({ allMarkets: true, by: 'ann' });
    expectProblem(await thaw('?symbol=ETHUSDT'), 400, 'INPUT_INVALID');
    expect((await thaw('?symbol=ETHUSDT&reason=agreed')).json.change.status).toBe('thawed');
    expectProblem(await thaw('?symbol=ETHUSDT&reason=agreed'), 409, 'CONFLICT');
    expect((await thaw('', { reason: 'agreed' })).json.change).toMatchObject({
      id: 'freeze-1',
      closedBy: 'ann',
    });
    expectProblem(await thaw('', { reason: 'agreed' }), 404, 'NOT_FOUND');
    expectProblem(await thaw('', 'rubbish'), 415, 'NOT_ACCEPTABLE_BODY');
  });

  test('is not for readers, nor for nobody', async () => {
    expectProblem(await service.post('/v1/freeze', { reason: 'mine' }, as('rita')), 403, 'FORBIDDEN');
    expectProblem(await service.post('/v1/freeze', { reason: 'mine' }), 401, 'UNAUTHENTICATED');
    const stranger = { authorization: 'Bearer nobodys-key-0123456789' };
    expectProblem(await service.post('/v1/freeze', { reason: 'mine' }, stranger), 403, 'FORBIDDEN');
    const { json } = await service.call('/v1/audit', { headers: as('rita') });
    const refusals = json.entries.filter(({ kind }: { kind: string }) => kind === 'refusal');
    expect(refusals).toMatchObject([{ actor: 'rita', reason: 'FORBIDDEN', subject: 'all markets' }]);
  });
});

test('a freeze and an emergency are only tried with preview, which names what they would take the place of', async () => {
  await service.post('/v1/freeze', { symbol: 'ETHUSDT', hours: 2, reason: 'disputed' }, as('ann'));
  const before = await service.store.auditLength();
  const tried = await service.post(
    '/v1/freeze',
    { symbol: 'ETHUSDT', hours: 1, reason: 'again', preview: true },
    as('ann'),
  );
  expect(actedSchema.parse(tried.json)).toEqual(tried.json);
  expect(tried.json).toMatchObject({
    preview: true,
    revision: 1,
    change: { kind: 'freeze', symbol: 'ETHUSDT', reason: 'again' },
    ended: [{ id: 'freeze-1', status: 'replaced' }],
  });
  const emergency = { hours: 1, reason: 'cascade', preview: true };
  expect((await service.post('/v1/emergency', emergency, as('ann'))).json).toMatchObject({
    preview: true,
    change: { kind: 'emergency', status: 'inForce' },
    ended: [],
    impact: null,
  });
  expectProblem(await service.post('/v1/emergency', emergency, as('rita')), 403, 'FORBIDDEN');
  expectProblem(
    await service.post('/v1/emergency', { ...emergency, hours: 1e6 }, as('ann')),
    422,
    'EXPIRY_INVALID',
  );
  expect(await service.store.auditLength()).toBe(before);
  expect((await changes()).revision).toBe(1);
});

test('what is in force is listed in full, however short the page', async () => {
  await service.post('/v1/freeze', { symbol: 'ETHUSDT', hours: 2, reason: 'disputed' }, as('ann'));
  await service.post('/v1/overrides', lower, as('ann'));
  await service.post('/v1/overrides', higher(), as('ann'));
  await service.post('/v1/emergency', { hours: 1, reason: 'cascade' }, as('ann'));
  const ids = async () => (await changes('?limit=1')).inForce.map(({ id }: { id: string }) => id);
  expect(await ids()).toEqual(['freeze-1', 'override-2', 'emergency-4']);
  await service.call('/v1/freeze?symbol=ETHUSDT&reason=agreed', { method: 'DELETE', headers: as('ann') });
  expect(await ids()).toEqual(['override-2', 'emergency-4']);
});

describe('two who write at once', () => {
  test('If-Match lets only who has seen the newest revision through', async () => {
    const freeze = (match: string) =>
      service.post('/v1/freeze', { reason: 'a test' }, { ...as('ann'), 'if-match': match });
    expect((await freeze('"0"')).json.revision).toBe(1);
    for (const stale of ['"0"', 'W/"1"', 'rubbish', '""', '"1e0"'])
      expectProblem(await freeze(stale), 412, 'PRECONDITION_FAILED');
    expect((await freeze('"9", "1"')).json.revision).toBe(2);
    expect((await freeze('*')).json.revision).toBe(3);
    expect((await changes()).revision).toBe(3);
  });

  test('an Idempotency-Key makes a repeated request the same one', async () => {
    const freeze = (key: string, reason = 'a test') =>
      service.post('/v1/freeze', { reason }, { ...as('ann'), 'idempotency-key': key });
    const first = await freeze('7f3a');
    const again = await freeze('7f3a');
    expect(again.json).toEqual(first.json);
    expect((await changes()).total).toBe(1);
    expectProblem(await freeze('7f3a', 'another'), 422, 'IDEMPOTENCY_KEY_REUSED');
    for (const bad of ['', 'a b', 'x'.repeat(201)]) expectProblem(await freeze(bad), 400, 'INPUT_INVALID');
  });
});

test('changes are paged from the newest, none twice and none left out', async () => {
  for (let i = 0; i < 7; i++) await service.post('/v1/overrides', lower, as('ann'));
  const seen: number[] = [];
  let query = '?limit=3';
  for (let page = 0; page < 4; page++) {
    const { changes: items, nextBefore, total } = await changes(query);
    expect(items).toHaveLength(total);
    seen.push(...items.map(({ number }: { number: number }) => number));
    if (nextBefore === null) break;
    query = `?limit=3&before=${nextBefore}`;
  }
  expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
  for (const bad of ['?limit=0', '?before=-1', '?before=x'])
    expect((await service.call(`/v1/changes${bad}`, { headers: as('rita') })).status).toBe(400);
});

test('with the operator key of the data folder alone, nobody can approve, and the answer says how to change that', async () => {
  const alone = await TestService.start();
  try {
    const asked = await alone.post('/v1/overrides', { ...lower, mayLoosen: true }, OPERATOR);
    expect(asked.json.change.status).toBe('pending');
    expect(asked.json.needs).toMatch(/Nobody can approve it.*PLIMSOLL_KEYS=NAME:approver:SHA256/);
    const approval = await alone.post('/v1/approvals/override-1', { reason: 'me' }, OPERATOR);
    expectProblem(approval, 403, 'SECOND_PERSON_NEEDED');
    expect(approval.json.remedy).toContain('PLIMSOLL_KEYS');
  } finally {
    await alone.stop();
  }
});
