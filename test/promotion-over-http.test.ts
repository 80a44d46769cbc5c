import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Served, serveFirst } from './run-plimsoll.ts';

let running: Served;
let key: string;
let remove: () => void;

beforeAll(async () => {
  ({ served: running, key, remove } = await serveFirst('promotion'));
});
afterAll(async () => {
  await running.end('SIGKILL');
  remove();
});

async function promote(version: string, body: object, headers: Record<string, string>) {
  const response = await fetch(`${running.url}/v1/models/${version}/promote`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const { code } = (await response.json()) as { code?: string };
  return [response.status, code];
}

test('a promotion over HTTP needs a key and a reason, and a version that can take the place of the champion', async () => {
  const signed = { authorization: `Bearer ${key}` };
  const shipped = join(import.meta.dirname, '..', 'models', 'aliases.json');
  const { champion } = JSON.parse(readFileSync(shipped, 'utf8')) as { champion: string };
  const reason = { reason: 'a test' };
  expect(await promote(champion, reason, {})).toEqual([401, 'UNAUTHENTICATED']);
  expect(await promote(champion, {}, signed)).toEqual([400, 'INPUT_INVALID']);
  expect(await promote(champion, reason, signed)).toEqual([409, 'CONFLICT']);
  expect(await promote('20200101-00000000', reason, signed)).toEqual([404, 'VERSION_UNKNOWN']);
});
