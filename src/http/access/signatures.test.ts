import { createHash, createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACCOUNT } from '../route-examples.fixture.ts';
import { sha256Of, TestService } from '../test-service.ts';
import { SignatureCheck, signatureOf } from './signatures.ts';

const KEY = 'matching-key-of-the-signing-tests_01';
const ID = sha256Of(KEY).slice(0, 16);
const SECRET = Buffer.from('a-signing-secret-of-32-bytes-ok!');
const READER = 'reader-key-of-the-signing-tests_012';

let service: TestService;
beforeAll(async () => {
  service = await TestService.start({
    keys: [
      { name: 'matching', role: 'exchange', sha256: sha256Of(KEY), signingSecret: SECRET },
      { name: 'desk', role: 'reader', sha256: sha256Of(READER) },
    ],
  });
  // What was signed before the start is refused, and clocks differ by seconds.
  service.clock.advance(60_000);
});
afterAll(() => service.stop());

let made = 0;
/** As a client of another language would: from the description alone. */
function signed(
  method: string,
  path: string,
  body: string,
  { at = service.clock.now(), nonce = `nonce-of-the-tests-${made++}`, secret = SECRET as Buffer } = {},
): Record<string, string> {
  const digest = createHash('sha256').update(body).digest('hex');
  const text = `${method}\n${path}\n${at}\n${nonce}\n${digest}`;
  return {
    'plimsoll-key': ID,
    'plimsoll-timestamp': String(at),
    'plimsoll-nonce': nonce,
    'plimsoll-signature': createHmac('sha256', secret).update(text).digest('hex'),
  };
}

const BODY = JSON.stringify({ maxLeverage: 5 });
const put = (path: string, body: string, headers: Record<string, string>) =>
  service.call(path, { method: 'PUT', headers: { 'content-type': 'application/json', ...headers }, body });

describe('a key whose writes are signed', () => {
  test('writes with a signature, of an object and of lines, compressed or not, and reads with or without one', async () => {
    const answer = await put('/v1/users/u1', BODY, signed('PUT', '/v1/users/u1', BODY));
    expect([answer.status, answer.json.maxLeverage]).toEqual([200, 5]);
    const lines = JSON.stringify(ACCOUNT);
    const type = { 'content-type': 'application/x-ndjson' };
    const path = '/v1/accounts/batch';
    const batch = { method: 'POST', headers: { ...type, ...signed('POST', path, lines) }, body: lines };
    expect((await service.call(path, batch)).json.accepted).toBe(1);
    const packed = {
      method: 'POST',
      headers: { ...type, 'content-encoding': 'gzip', ...signed('POST', path, lines) },
      body: gzipSync(lines),
    };
    expect((await service.call(path, packed)).status).toBe(200);
    const entry = (await service.store.auditAfter(0, 100)).find(({ kind }) => kind === 'user-policy');
    expect(entry?.actor).toBe('matching');
    const read = '/v1/interventions?limit=3';
    expect((await service.call(read, { headers: signed('GET', read, '') })).status).toBe(200);
    expect((await service.call('/v1/limits', { headers: signed('GET', '/v1/limits', '') })).status).toBe(200);
    expect((await service.call('/v1/limits', { headers: { authorization: `Bearer ${KEY}` } })).status).toBe(
      200,
    );
    const order = JSON.stringify({
      userId: 'u1',
      symbol: 'BTCUSDT',
      side: 'long',
      notional: '1',
      leverage: 1,
    });
    const check = { ...signed('POST', '/v1/checks', order), 'content-type': 'application/json' };
    expect((await service.call('/v1/checks', { method: 'POST', headers: check, body: order })).status).toBe(
      200,
    );
  });

  test('does not write by its key alone', async () => {
    const { status, json } = await put('/v1/users/u2', BODY, { authorization: `Bearer ${KEY}` });
    expect([status, json.code]).toEqual([401, 'SIGNATURE_NEEDED']);
    expect(service.plane.userNow('u2')).toBeNull();
  });

  const path = '/v1/users/u3';
  const now = () => service.clock.now();
  test.each<[string, () => Record<string, string>, string]>([
    ['another method', () => signed('POST', path, BODY), 'SIGNATURE_INVALID'],
    ['another path', () => signed('PUT', '/v1/users/u4', BODY), 'SIGNATURE_INVALID'],
    ['a query that was not there', () => signed('PUT', `${path}?x=1`, BODY), 'SIGNATURE_INVALID'],
    ['another body', () => signed('PUT', path, '{"maxLeverage":50}'), 'SIGNATURE_INVALID'],
    ['no body', () => signed('PUT', path, ''), 'SIGNATURE_INVALID'],
    ['another secret', () => signed('PUT', path, BODY, { secret: Buffer.alloc(32) }), 'SIGNATURE_INVALID'],
    [
      'the key as the secret',
      () => signed('PUT', path, BODY, { secret: Buffer.from(KEY) }),
      'SIGNATURE_INVALID',
    ],
    [
      'another nonce',
      () => ({ ...signed('PUT', path, BODY), 'plimsoll-nonce': 'another-nonce-0001' }),
      'SIGNATURE_INVALID',
    ],
    [
      'another time',
      () => ({ ...signed('PUT', path, BODY), 'plimsoll-timestamp': String(now() - 1) }),
      'SIGNATURE_INVALID',
    ],
    [
      'a time of 30 s ago',
      () => signed('PUT', path, BODY, { at: now() - 30_000 }),
      'TIMESTAMP_OUT_OF_WINDOW',
    ],
    [
      'a time ahead of ours',
      () => signed('PUT', path, BODY, { at: now() + 5_001 }),
      'TIMESTAMP_OUT_OF_WINDOW',
    ],
    ['a short nonce', () => signed('PUT', path, BODY, { nonce: 'short' }), 'SIGNATURE_INVALID'],
    ['no nonce', () => ({ ...signed('PUT', path, BODY), 'plimsoll-nonce': '' }), 'SIGNATURE_INVALID'],
    [
      'a signature in capitals',
      () => {
        const headers = signed('PUT', path, BODY);
        return { ...headers, 'plimsoll-signature': headers['plimsoll-signature'].toUpperCase() };
      },
      'SIGNATURE_INVALID',
    ],
    [
      'a key that signs nothing',
      () => ({ ...signed('PUT', path, BODY), 'plimsoll-key': sha256Of(READER).slice(0, 16) }),
      'FORBIDDEN',
    ],
    [
      'a key that is not known',
      () => ({ ...signed('PUT', path, BODY), 'plimsoll-key': 'f'.repeat(16) }),
      'FORBIDDEN',
    ],
  ])('%s is refused, and nothing is done', async (_, headers, code) => {
    const refused = await put(path, BODY, headers());
    expect([refused.json.code, refused.status]).toEqual([code, code === 'FORBIDDEN' ? 403 : 401]);
    expect(service.plane.userNow('u3')).toBeNull();
  });

  test('a request that is sent again is refused, a refused one uses no nonce up, and 29 seconds are not too old', async () => {
    const headers = signed('PUT', '/v1/users/u5', BODY, { at: now() - 29_000 });
    expect((await put('/v1/users/u5', '{"maxLeverage":6}', headers)).json.code).toBe('SIGNATURE_INVALID');
    expect((await put('/v1/users/u5', BODY, headers)).status).toBe(200);
    expect((await put('/v1/users/u5', BODY, headers)).json.code).toBe('NONCE_REPLAYED');
    service.clock.advance(2_000);
    expect((await put('/v1/users/u5', BODY, headers)).json.code).toBe('TIMESTAMP_OUT_OF_WINDOW');
  });

  test('what was signed before a restart does not come again after it', async () => {
    const headers = signed('PUT', '/v1/users/u6', BODY);
    expect((await put('/v1/users/u6', BODY, headers)).status).toBe(200);
    await service.restart();
    expect((await put('/v1/users/u6', BODY, headers)).json.code).toBe('TIMESTAMP_OUT_OF_WINDOW');
    service.clock.advance(10_000);
    expect((await put('/v1/users/u6', BODY, signed('PUT', '/v1/users/u6', BODY))).status).toBe(200);
  });

  test('neither answers nor logs nor metrics have the key, the secret or a signature', async () => {
    const headers = signed('PUT', '/v1/users/u7', '{}');
    const answers = [await put('/v1/users/u7', BODY, headers), await put('/v1/users/u7', '{}', headers)];
    answers.push(await service.call('/metrics', { headers: { authorization: `Bearer ${KEY}` } }));
    answers.push(await service.call('/v1/audit', { headers: { authorization: `Bearer ${KEY}` } }));
    expect(answers[2].text).toMatch(/access_refusals_total\{reason="nonce"\} [1-9]/);
    const everything = [...answers.map(({ text }) => text), ...service.warnings, ...service.errors].join(
      '\n',
    );
    const secrets = [
      KEY,
      sha256Of(KEY),
      SECRET.toString(),
      SECRET.toString('base64url'),
      SECRET.toString('hex'),
    ];
    for (const secret of [...secrets, headers['plimsoll-signature']])
      expect(everything).not.toContain(secret);
  });
});

test('nonces are forgotten when their window is over, and never fill the memory', () => {
  const check = new SignatureCheck(0);
  const secret = Buffer.alloc(32, 1);
  const send = (i: number, at: number) => {
    const text = `text ${i}`;
    const claim = { keyId: 'k', timestamp: at, nonce: `nonce-${i}`, signature: signatureOf(secret, text) };
    check.requireSignature(secret, claim, text, at);
  };
  for (let i = 0; i < 1000; i++) send(i, 100_000 + i);
  expect(check.nonces).toBe(1000);
  send(1000, 100_000 + 30_500);
  expect(check.nonces).toBeLessThan(550);
});
