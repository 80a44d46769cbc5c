import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isWriteScope } from '../control/ports.ts';
import { ERROR_CATALOGUE } from '../errors.ts';
import { openApiDocument } from './openapi.ts';
import { SHIPPED_CHAMPION } from './route-examples.fixture.ts';
import { ROUTES } from './routes.ts';
import { type Json, resolveReference, schemaFaults } from './schema-check.fixture.ts';
import { type Answer, type Call, OPERATOR, TestService } from './test-service.ts';

type Operation = {
  readonly parameters: readonly { name: string; in: string; required: boolean; schema: Json }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: Json }>> };
  readonly responses: Readonly<Record<string, Json>>;
  readonly security?: readonly Json[];
  readonly operationId: string;
};

// As a client gets it: through JSON.
const document = JSON.parse(JSON.stringify(openApiDocument('1.2.3'))) as Json & {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

function everyReference(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(everyReference);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === '$ref' && typeof item === 'string' ? [item] : everyReference(item),
  );
}

describe('the OpenAPI document', () => {
  test('is version 3.1 with the version of the program', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'Plimsoll', version: '1.2.3' });
  });

  test('is valid by the schema of OpenAPI 3.1 itself, so that generators of clients read it', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(JSON.parse(JSON.stringify(document)));
    expect(errors ?? []).toEqual([]);
    expect([valid, validator.version]).toEqual([true, '3.1']);
  });

  test('has every route of the table, with its method, and nothing else', () => {
    const described = operations.map(({ path, method }) => `${method} ${path}`).sort();
    expect(described).toEqual(ROUTES.map(({ path, method }) => `${method} ${path}`).sort());
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(ROUTES.length);
  });

  test('has no reference that leads nowhere, and none that only zod understands', () => {
    const references = everyReference(document);
    expect(references.length).toBeGreaterThan(20);
    for (const reference of references)
      expect(resolveReference(document, reference), reference).toBeDefined();
    expect(JSON.stringify(document)).not.toMatch(/\$defs|\$id/);
  });

  test('declares every parameter of a path, and no other as one', () => {
    for (const { path, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = operation.parameters.filter((parameter) => parameter.in === 'path');
      expect([path, declared.map(({ name }) => name)]).toEqual([path, inPath]);
      for (const parameter of operation.parameters) expect(parameter.required).toBe(parameter.in === 'path');
    }
  });

  test('asks for a key exactly where a write does, and for a body exactly where one is read', () => {
    for (const route of ROUTES) {
      const operation = document.paths[route.path][route.method];
      const needsKey = route.scope !== 'open' && isWriteScope(route.scope);
      expect([route.path, operation.security !== undefined]).toEqual([route.path, needsKey]);
      expect([route.path, operation.requestBody !== undefined]).toEqual([
        route.path,
        (route.body ?? route.line) !== undefined,
      ]);
    }
  });

  test('declares every property that it requires', () => {
    const walk = (value: unknown, at: string): void => {
      if (typeof value !== 'object' || value === null) return;
      const { required, properties } = value as { required?: unknown; properties?: Json };
      if (Array.isArray(required) && properties !== undefined)
        for (const name of required) expect(Object.keys(properties), at).toContain(name);
      for (const [key, item] of Object.entries(value)) walk(item, `${at}/${key}`);
    };
    walk(document, '');
  });

  test('has examples that its own schemas accept', () => {
    const examples = Object.entries(document.components.schemas).filter(([, schema]) => 'example' in schema);
    expect(examples.length).toBeGreaterThanOrEqual(5);
    for (const [name, schema] of examples) {
      const { example } = schema;
      const faults = schemaFaults(schema, example, document);
      expect([name, faults]).toEqual([name, []]);
    }
  });

  test('lists every error code with its status', () => {
    expect(Object.keys(document['x-error-codes'] as Json)).toEqual(Object.keys(ERROR_CATALOGUE));
  });
});

describe('real answers', () => {
  let service: TestService;
  let empty: TestService;
  beforeAll(async () => {
    [service, empty] = [await TestService.start({ books: 2 }), await TestService.start({ books: 0 })];
    await service.store.recordTrainingRun({
      id: 'run-1',
      startedAt: 0,
      finishedAt: 1,
      result: 'succeeded',
      modelVersion: 'v1',
      trigger: 'command',
      message: '',
    });
  });
  afterAll(async () => {
    await service.stop();
    await empty.stop();
  });

  /** Against what is declared for the status, or by default. */
  function expectDeclared(path: string, method: string, answer: Answer): void {
    const { responses } = document.paths[path][method];
    const declared = responses[answer.status] ?? responses.default;
    const named = declared.$ref === undefined ? declared : resolveReference(document, String(declared.$ref));
    const type = String(answer.headers['content-type']).split(';')[0];
    const content = named?.content as Readonly<Record<string, { schema: Json }>>;
    expect([path, Object.keys(content)]).toEqual([path, [type]]);
    expect([path, schemaFaults(content[type].schema, answer.json, document)]).toEqual([path, []]);
  }

  const order = { userId: 'u', symbol: 'BTCUSDT', side: 'long', notional: '1', leverage: 1000 };
  const user = { accountCreatedAt: '2020-01-01T00:00:00Z' };
  const held = { symbol: 'BTCUSDT', side: 'long', quantity: '5', entryPrice: '100' };
  const simulated = {
    account: { accountId: 'a', userId: 'u', marginMode: 'cross', equity: '30', positions: [held] },
  };
  const calls: [path: string, address: string, call?: Call][] = [
    ...ROUTES.filter(({ method, isStream }) => method === 'get' && !isStream).map(
      ({ path }): [string, string] => [
        path,
        path.replace('{symbol}', 'BTCUSDT').replace('{id}', '1').replace('{version}', SHIPPED_CHAMPION),
      ],
    ),
    ['/v1/markets/{symbol}/brackets', '/v1/markets/AURUSDT/brackets?notional=1'],
    ['/v1/markets/{symbol}/brackets', '/v1/markets/BTCUSDT/brackets?form=square-root&upTo=1000'],
    ['/v1/markets/{symbol}/brackets', '/v1/markets/BTCUSDT/brackets?form=linear&asOf=2024-06-01T00:00:00Z'],
    ['/v1/markets/{symbol}/brackets', '/v1/markets/NOPEUSDT/brackets'],
    ['/v1/markets/{symbol}/brackets', '/v1/markets/nope/brackets'],
    ['/v1/markets/{symbol}/forecast', '/v1/markets/RUNEUSDT/forecast'],
    ['/v1/markets/{symbol}/explain', '/v1/markets/RUNEUSDT/explain'],
    ['/v1/markets/{symbol}/sensitivity', '/v1/markets/RUNEUSDT/sensitivity'],
    ['/v1/markets/{symbol}/sensitivity', '/v1/markets/BTCUSDT/sensitivity?horizonHours=4'],
    ['/v1/markets/{symbol}/sensitivity', '/v1/markets/BTCUSDT/sensitivity?horizonHours=5'],
    ['/v1/users/{id}', '/v1/users/u', { method: 'PUT', headers: OPERATOR, body: user }],
    ['/v1/users/{id}', '/v1/users/u', { method: 'PUT', body: user }],
    ['/v1/users/{id}', '/v1/users/u', { method: 'PUT', headers: OPERATOR, body: { maxLeverage: -1 } }],
    ['/v1/users/{id}', '/v1/users/u', { method: 'PUT', headers: OPERATOR, body: 'text' }],
    ['/v1/users/{id}/caps', '/v1/users/u/caps?notional=999999999999999'],
    ['/v1/checks', '/v1/checks', { method: 'POST', body: order }],
    ['/v1/checks', '/v1/checks', { method: 'POST', body: { ...order, leverage: 1 } }],
    ['/v1/checks', '/v1/checks', { method: 'POST', body: { ...order, notional: '999999999999999.5' } }],
    ['/v1/checks', '/v1/checks', { method: 'POST', body: 'x'.repeat(70_000) }],
    ['/v1/margin/simulate', '/v1/margin/simulate', { method: 'POST', body: simulated }],
    [
      '/v1/margin/simulate',
      '/v1/margin/simulate',
      { method: 'POST', body: { ...simulated, prices: { x: 1 } } },
    ],
  ];

  test.each(calls)(
    '%s: the answer to %s is what the document declares, with and without a book',
    async (path, address, call) => {
      const method = call?.method?.toLowerCase() ?? 'get';
      expectDeclared(path, method, await service.call(address, call));
      expectDeclared(path, method, await empty.call(address, call));
    },
  );

  test('the check of this file finds what is wrong', () => {
    const { schemas } = document.components;
    const bracket = {
      bracket: 1,
      notionalFloor: '0',
      notionalCap: '1000',
      maxLeverage: 5,
      initialMarginRatePpm: 200_000,
      maintenanceMarginRatePpm: 100_000,
      maintenanceAmount: '0',
    };
    expect(schemaFaults(schemas.Bracket, bracket, document)).toEqual([]);
    for (const wrong of [
      { bracket: 0 },
      { maxLeverage: '5' },
      { notionalCap: '1e3' },
      { extra: 1 },
      { bracket: 1.5 },
    ])
      expect(schemaFaults(schemas.Bracket, { ...bracket, ...wrong }, document)).not.toEqual([]);
    const { maintenanceAmount: _, ...short } = bracket;
    expect(schemaFaults(schemas.Bracket, short, document)).toEqual(['$.maintenanceAmount is missing']);
    expect(schemaFaults({ someKeyword: 1 }, bracket, document)).toHaveLength(1);
  });

  test('the document is served as JSON at /openapi.json', async () => {
    const answer = await service.call('/openapi.json');
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.json).toEqual(document);
  });
});
