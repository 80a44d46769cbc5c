import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HOUR_MILLISECONDS } from '../units.ts';
import { ORDER } from './route-examples.fixture.ts';
import { sha256Of, TestService } from './test-service.ts';

let service: TestService;
/** One connection for all: what is left unread of a request would be taken for the next one. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
  service = await TestService.start();
  const account = { userId: 'holder', marginMode: 'cross', equity: '1000', positions: [] };
  await service.put('/v1/accounts/holder', account);
});

afterAll(async () => {
  agent.destroy();
  await service.stop();
});

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** @param pieces of the body, sent one after the other with a pause between them. */
function post(pieces: readonly string[], headers: Record<string, string>): Promise<Answered> {
  const length = String(Buffer.byteLength(pieces.join('')));
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${service.url}/v1/checks`,
      { method: 'POST', agent, headers: { 'content-length': length, 'x-request-id': 'r-1', ...headers } },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (piece) => {
          text += piece;
        });
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }),
        );
      },
    );
    outgoing.on('error', reject);
    const write = (i: number): void => {
      if (i === pieces.length) outgoing.end();
      else outgoing.write(pieces[i], () => setTimeout(() => write(i + 1), 15));
    };
    write(0);
  });
}

const PLAIN = { 'content-type': 'application/json' };
/** Says the same, and goes through Express. */
const LONG = { 'content-type': 'application/json; charset=utf-8' };
const json = JSON.stringify;

describe('a check is answered alike before Express and by it', () => {
  test.each([
    ['an order', [json(ORDER)], 200],
    ['an order that is refused', [json({ ...ORDER, leverage: 900 })], 200],
    ['an order of an account', [json({ ...ORDER, userId: 'holder' })], 200],
    ['letters that are no ASCII', [json({ ...ORDER, userId: 'ü' })], 400],
    ['an order in two pieces', [json(ORDER).slice(0, 20), json(ORDER).slice(20)], 200],
    ['an account of somebody else', [json({ ...ORDER, accountId: 'holder' })], 404],
    ['an account that is not there', [json({ ...ORDER, userId: 'holder', accountId: 'none' })], 404],
    ['a market that is not there', [json({ ...ORDER, symbol: 'NOPEUSDT' })], 404],
    ['a field that is wrong', [json({ ...ORDER, notional: -1 })], 400],
    ['what is no JSON', ['{"userId":'], 400],
    ['a list', ['[]'], 400],
    ['a number', ['17'], 400],
    ['nothing', [''], 400],
    ['what is too long to be one', [json({ ...ORDER, userId: 'u'.repeat(20_000) })], 400],
    ['what is too long for any route', [json({ ...ORDER, userId: 'u'.repeat(70_000) })], 413],
  ])('%s', async (_, pieces, status) => {
    const quick = await post(pieces, PLAIN);
    const slow = await post(pieces, LONG);
    expect([quick.status, slow.status]).toEqual([status, status]);
    expect(quick.text).toBe(slow.text);
    const shown = ({ headers }: Answered) => {
      const { date, connection, 'keep-alive': _, ...rest } = headers;
      return rest;
    };
    expect(shown(quick)).toEqual(shown(slow));
    expect((await post([json(ORDER)], PLAIN)).status).toBe(200);
  });

  test('also when many come at once', async () => {
    const bodies = Array.from({ length: 60 }, (_, i) =>
      i % 3 === 0 ? '{' : json({ ...ORDER, userId: i % 3 === 1 ? 'holder' : 'stranger', leverage: 1 + i }),
    );
    const answers = await Promise.all(bodies.map((body) => service.post('/v1/checks', body, PLAIN)));
    expect(answers.map(({ status }) => status)).toEqual(bodies.map((body) => (body === '{' ? 400 : 200)));
  });

  test('once the validity of the limits is over, with a warning', async () => {
    service.clock.set(service.clock.now() + 100 * HOUR_MILLISECONDS);
    const [quick, slow] = [await post([json(ORDER)], PLAIN), await post([json(ORDER)], LONG)];
    expect(quick.headers.warning).toBe(slow.headers.warning);
    expect([JSON.parse(quick.text).degraded, quick.text]).toEqual([true, slow.text]);
  });

  test('and is counted under its route', async () => {
    const { text } = await service.call('/metrics');
    expect(text).toMatch(/http_request_duration_seconds_count\{[^}]*route="\/v1\/checks"[^}]*code="200"/);
  });
});

test('where keys are configured, a check without one is refused before it is read', async () => {
  const guarded = await TestService.start({ keys: [{ name: 'ann', role: 'reader', sha256: sha256Of('k') }] });
  const answer = await guarded.post('/v1/checks', ORDER);
  expect([answer.status, answer.json.code]).toEqual([401, 'UNAUTHENTICATED']);
  const known = await guarded.post('/v1/checks', ORDER, { authorization: 'Bearer k' });
  expect(known.status).toBe(200);
  await guarded.stop();
});
