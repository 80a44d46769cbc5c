import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256Of, TestService } from '../test-service.ts';
import { Identities } from './identities.ts';

const ISSUER = 'https://people.example';
const AUDIENCE = 'plimsoll';
const KEY = 'ann-key-of-the-identity-tests_0123456';

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let first: Pair;
let second: Pair;
let stranger: Pair;
/** What the server of the keys answers, and how often it was asked. */
let jwks: { keys: unknown[] };
let status = 200;
let asked = 0;
let server: Server;
let service: TestService;

beforeAll(async () => {
  [first, second, stranger] = await Promise.all(
    ['ES256', 'RS256', 'ES256'].map((alg) => generateKeyPair(alg)),
  );
  jwks = { keys: [{ ...(await exportJWK(first.publicKey)), kid: 'first', alg: 'ES256', use: 'sig' }] };
  server = createServer((_request, response) => {
    asked++;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(jwks));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const keys = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`);
  service = await TestService.start({
    keys: [{ name: 'ann', role: 'operator', sha256: sha256Of(KEY) }],
    identities: (clock) =>
      new Identities({
        ...{ issuer: ISSUER, audience: [AUDIENCE, 'other'], keys, roleClaim: 'realm.roles', clock },
        roles: { 'risk-officer': 'approver', sre: 'operator', everybody: 'reader', quant: 'data-scientist' },
      }),
  });
});
afterAll(async () => {
  await service.stop();
  server.close();
});

interface Changes {
  readonly claims?: JWTPayload;
  readonly header?: { alg: string; kid?: string };
  readonly key?: Pair['privateKey'] | Uint8Array;
}

function tokenOf({
  claims = {},
  header = { alg: 'ES256', kid: 'first' },
  key = first.privateKey,
}: Changes = {}) {
  const seconds = Math.floor(service.clock.now() / 1000);
  const whole = {
    ...{ iss: ISSUER, aud: AUDIENCE, sub: 'carol', iat: seconds, exp: seconds + 600 },
    ...{ realm: { roles: ['risk-officer', 'something-else'] } },
    ...claims,
  };
  return new SignJWT(whole).setProtectedHeader(header).sign(key);
}

const as = (token: string) => ({ authorization: `Bearer ${token}` });
const read = async (changes?: Changes, path = '/v1/limits') =>
  service.call(path, { headers: as(await tokenOf(changes)) });

describe('a person with a token', () => {
  test('is who its sub says, with the role of its claim, on prepared reads, others, sockets and writes', async () => {
    for (const path of ['/v1/limits', '/v1/models', '/metrics'])
      expect((await read({}, path)).status).toBe(200);
    const written = await service.put('/v1/users/u1', { maxLeverage: 5 }, as(await tokenOf()));
    expect(written.status).toBe(200);
    const { json } = await read({}, '/v1/audit');
    expect(json.entries.at(-1)).toMatchObject({ kind: 'user-policy', actor: 'carol' });
    const quant = { claims: { sub: 'quinn', realm: { roles: ['quant'] } } };
    expect((await read(quant)).status).toBe(200);
    const refused = await service.put('/v1/users/u1', { maxLeverage: 6 }, as(await tokenOf(quant)));
    expect([refused.status, refused.json.code]).toEqual([403, 'FORBIDDEN']);
  });

  test('approves what somebody with a key asked for, and not what the same name asked for', async () => {
    const { json: book } = await read();
    const maxLeverage = book.markets[0].maxLeverage < 50 ? 50 : 100;
    const wanted = { symbol: book.markets[0].symbol, maxLeverage, hours: 1, reason: 'deep book' };
    const asking = await service.post('/v1/overrides', wanted, as(KEY));
    expect(asking.json).toMatchObject({
      change: { status: 'pending' },
      needs: expect.stringContaining('approve'),
    });
    const approval = { decision: 'approve', reason: 'checked' };
    const settle = async (sub: string) =>
      service.post('/v1/approvals/override-1', approval, as(await tokenOf({ claims: { sub } })));
    expect((await settle('ann')).json.code).toBe('SECOND_PERSON_NEEDED');
    expect((await settle('carol')).json.change).toMatchObject({ status: 'inForce', approvedBy: 'carol' });
  });

  const seconds = () => Math.floor(service.clock.now() / 1000);
  test.each<[string, () => Changes, number, string]>([
    ['of another issuer', () => ({ claims: { iss: 'https://others.example' } }), 401, 'TOKEN_INVALID'],
    ['for another service', () => ({ claims: { aud: 'elsewhere' } }), 401, 'TOKEN_INVALID'],
    ['that is over', () => ({ claims: { exp: seconds() - 6 } }), 401, 'TOKEN_INVALID'],
    ['that is not yet valid', () => ({ claims: { nbf: seconds() + 60 } }), 401, 'TOKEN_INVALID'],
    ['without an end', () => ({ claims: { exp: undefined } as unknown as JWTPayload }), 401, 'TOKEN_INVALID'],
    ['without a sub', () => ({ claims: { sub: undefined } as unknown as JWTPayload }), 401, 'TOKEN_INVALID'],
    ['with a sub that would forge log lines', () => ({ claims: { sub: 'a\nb' } }), 401, 'TOKEN_INVALID'],
    ['signed by a stranger', () => ({ key: stranger.privateKey }), 401, 'TOKEN_INVALID'],
    [
      'signed with a shared secret',
      () => ({ key: new Uint8Array(32), header: { alg: 'HS256', kid: 'first' } }),
      401,
      'TOKEN_INVALID',
    ],
    ['without a role that is known', () => ({ claims: { realm: { roles: ['king'] } } }), 403, 'FORBIDDEN'],
    [
      'with a role that is a name of objects',
      () => ({ claims: { realm: { roles: ['constructor'] } } }),
      403,
      'FORBIDDEN',
    ],
    [
      'with our word where theirs are mapped',
      () => ({ claims: { realm: { roles: ['approver'] } } }),
      403,
      'FORBIDDEN',
    ],
    ['without the claim', () => ({ claims: { realm: 'none' } }), 403, 'FORBIDDEN'],
  ])('%s is refused', async (_, changes, code, name) => {
    const { status: answered, json } = await read(changes());
    expect([answered, json.code]).toEqual([code, name]);
  });

  test('without a signature, or altered, is refused', async () => {
    const [header, payload, signature] = (await tokenOf()).split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none', kid: 'first' })).toString('base64url');
    const other = Buffer.from(JSON.stringify({ iss: ISSUER, sub: 'eve' })).toString('base64url');
    for (const token of [`${none}.${payload}.x`, `${none}.${payload}.`, `${header}.${other}.${signature}`]) {
      const { status: answered, text } = await service.call('/v1/limits', { headers: as(token) });
      expect([token, [401, 403]]).toEqual([token, expect.arrayContaining([answered])]);
      expect(text).not.toContain(payload);
    }
  });

  test('a token is believed until its end and not longer', async () => {
    const headers = as(await tokenOf({ claims: { sub: 'brief', exp: seconds() + 30 } }));
    expect((await service.call('/v1/limits', { headers })).status).toBe(200);
    service.clock.advance(34_000);
    expect((await service.call('/v1/limits', { headers })).status).toBe(200);
    service.clock.advance(2_000);
    expect((await service.call('/v1/limits', { headers })).json.code).toBe('TOKEN_INVALID');
  });
});

describe('the keys of the issuer', () => {
  test('are fetched once for many tokens, and not oftener for keys that nobody knows', async () => {
    const before = asked;
    for (let i = 0; i < 20; i++) {
      expect((await read({ claims: { sub: `person-${i}` } })).status).toBe(200);
      const unknown = { key: second.privateKey, header: { alg: 'RS256', kid: `unknown-${i}` } };
      expect((await read(unknown)).json.code).toBe('TOKEN_INVALID');
    }
    expect(asked - before).toBeLessThanOrEqual(1);
  });

  test('that cannot be had let nobody in, and that is no fault of the token', async () => {
    status = 500;
    const keys = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`);
    const identities = new Identities({
      ...{ issuer: ISSUER, audience: AUDIENCE, keys, roleClaim: 'realm.roles', clock: service.clock },
      roles: null,
    });
    await expect(identities.callerOf(await tokenOf())).rejects.toMatchObject({
      code: 'IDENTITY_UNAVAILABLE',
    });
    status = 200;
  });

  test('may be given instead of their address; without a mapping the claim has our own words', async () => {
    const identities = new Identities({
      ...{ issuer: ISSUER, audience: AUDIENCE, roleClaim: 'https://example/roles', clock: service.clock },
      keys: jwks as never,
      roles: null,
    });
    const caller = await identities.callerOf(
      await tokenOf({ claims: { 'https://example/roles': ['reader', 'data-scientist', 'king'] } }),
    );
    expect([caller.name, caller.role, caller.scopes.has('models:promote')]).toEqual([
      'carol',
      'data-scientist',
      true,
    ]);
    expect(caller.scopes.has('users:write')).toBe(false);
  });
});

test('no log line and no answer has a token', async () => {
  const token = await tokenOf({ key: stranger.privateKey });
  const { text } = await service.call('/v1/limits', { headers: as(token) });
  const everything = [text, ...service.warnings, ...service.errors].join('\n');
  for (const part of token.split('.')) expect(everything).not.toContain(part);
  expect(service.warnings.map((line) => JSON.parse(line).why)).toContain('token');
});
