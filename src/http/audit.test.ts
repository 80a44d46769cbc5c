import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditSchema } from './audit-schemas.ts';
import { type Answer, TestService } from './test-service.ts';

const ENTRIES = 7;
let service: TestService;

beforeAll(async () => {
  service = await TestService.start({ books: ENTRIES });
});

afterAll(() => service.stop());

async function audit(query: string): Promise<Answer['json']> {
  const { json, status } = await service.call(`/v1/audit${query}`);
  expect([status, auditSchema.parse(json)]).toEqual([200, json]);
  expect(json).toMatchObject({ total: json.entries.length, length: ENTRIES });
  return json;
}

const sequencesOf = (json: Answer['json']): number[] =>
  json.entries.map(({ sequence }: { sequence: number }) => sequence);

test('the chain is paged in both directions, none twice and none left out', async () => {
  for (const [name, next, start, expected] of [
    ['after', 'nextAfter', 0, [1, 2, 3, 4, 5, 6, 7]],
    ['before', 'nextBefore', Number.MAX_SAFE_INTEGER, [7, 6, 5, 4, 3, 2, 1]],
  ] as const) {
    const seen: number[] = [];
    let at: number | null = start;
    while (at !== null) {
      const page: Answer['json'] = await audit(`?limit=3&${name}=${at}`);
      seen.push(...sequencesOf(page));
      at = page[next];
    }
    expect(seen).toEqual(expected);
  }
});

test('pages end where the chain does', async () => {
  expect(sequencesOf(await audit(''))).toHaveLength(ENTRIES);
  expect(await audit('?before=4&limit=3')).toMatchObject({ nextBefore: null, nextAfter: null });
  expect(sequencesOf(await audit('?before=4&limit=2'))).toEqual([3, 2]);
  expect(await audit('?before=1')).toMatchObject({ entries: [], nextBefore: null });
  expect(await audit('?after=7')).toMatchObject({ entries: [], nextAfter: null });
});

test.each([
  '?before=0',
  '?before=-1',
  '?before=x',
  '?before=1.5',
  '?after=1&before=3',
  '?limit=0',
  '?after=1e300',
])('%s is refused', async (query) => {
  const { status, json } = await service.call(`/v1/audit${query}`);
  expect([status, json.code]).toEqual([400, 'INPUT_INVALID']);
});
