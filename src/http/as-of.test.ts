import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureCheckpointKey, readPublicKeys } from '../../data/checkpoint-key.ts';
import { SqliteStateStore } from '../../data/sqlite-state-store.ts';
import { isoTime } from '../clock.ts';
import { parseCheckpoint, signatureFault } from '../limits/checkpoint.ts';
import { DECIDED_AT, HOUR } from '../limits/test-inputs.ts';
import { auditSchema } from './audit-schemas.ts';
import {
  bracketsSchema,
  explainSchema,
  forecastSchema,
  historySchema,
  limitsSchema,
  marketsSchema,
  problemSchema,
  sensitivitySchema,
} from './schemas.ts';
import { marketInputs, OPERATOR, TestService } from './test-service.ts';

/** Three books, an hour apart and each tighter; a freeze of one market during the second hour. */
let service: TestService;
const second = DECIDED_AT + HOUR;
const third = DECIDED_AT + 2 * HOUR;
const at = (time: number): string => `asOf=${isoTime(time)}`;
const MARKET = '/v1/markets/BTCUSDT';

/** Every read of a book, and the shape of its answer. */
const READS = [
  ['/v1/limits', limitsSchema],
  ['/v1/markets', marketsSchema],
  [`${MARKET}/brackets`, bracketsSchema],
  [`${MARKET}/explain`, explainSchema],
  [`${MARKET}/forecast`, forecastSchema],
  [`${MARKET}/sensitivity`, sensitivitySchema],
] as const;

/** As they were answered when they were in force. */
const answered = new Map<string, unknown[]>();

async function remember(): Promise<void> {
  for (const [path] of READS)
    answered.set(path, [...(answered.get(path) ?? []), (await service.call(path)).json]);
}

beforeAll(async () => {
  service = await TestService.start();
  await remember();
  service.clock.set(second);
  const freeze = { symbol: 'BTCUSDT', reason: 'disputed', hours: 0.5 };
  expect((await service.post('/v1/freeze', freeze, OPERATOR)).status).toBe(200);
  await service.publish(marketInputs(0.02), second);
  await remember();
  await service.publish(marketInputs(0.06), third);
  await remember();
});

afterAll(() => service.stop());

describe('what was in force at a time', () => {
  test.each(READS)('%s answers as it did then, to the millisecond', async (path, schema) => {
    for (const [book, time] of [
      [0, DECIDED_AT],
      [0, second - 1],
      [1, second],
      [1, third - 1],
      [2, third],
    ] as const) {
      const { status, json } = await service.call(`${path}?${at(time)}`);
      expect([status, schema.parse(json)]).toEqual([200, json]);
      const then = answered.get(path)?.[book] as Record<string, unknown>;
      // What people hold a market to is told as it was at the time that is asked for, not at the decision.
      expect({ ...json, governance: null }).toEqual({ ...then, governance: null });
    }
    const early = await service.call(`${path}?${at(DECIDED_AT - 1)}`);
    expect([early.status, problemSchema.parse(early.json).code]).toEqual([404, 'NOT_FOUND']);
    expect((await service.call(`${path}?asOf=yesterday`)).status).toBe(400);
  });

  test('explain tells the freeze from its beginning to its end', async () => {
    const frozen = async (time: number) =>
      (await service.call(`${MARKET}/explain?${at(time)}`)).json.governance.freeze;
    expect(await frozen(second - 1)).toBeNull();
    expect(await frozen(second)).toMatchObject({ by: 'operator', reason: 'disputed' });
    expect(await frozen(second + HOUR / 2)).toBeNull();
  });

  test('a book that had run out by then is degraded', async () => {
    const degraded = async (time: number) => (await service.call(`/v1/limits?${at(time)}`)).json.degraded;
    expect(await degraded(third + 7 * HOUR)).toBe(true);
  });

  test('history ends at the time, and counts its limit from there', async () => {
    const changes = async (query: string) =>
      historySchema
        .parse((await service.call(`/v1/markets/ETHUSDT/history?${query}`)).json)
        .changes.map(({ version }) => version);
    expect(await changes('')).toEqual([3, 2, 1]);
    expect(await changes(at(third - 1))).toEqual([2, 1]);
    expect(await changes(`${at(third - 1)}&limit=1`)).toEqual([2]);
    expect(await changes(at(DECIDED_AT - 1))).toEqual([]);
  });
});

describe('the newest checkpoint', () => {
  test('is null where nothing signs, and else comes with the chain as it was signed', async () => {
    expect((await service.call('/v1/audit')).json.checkpoint).toBeNull();
    const writer = SqliteStateStore.open(service.folder, {
      signer: await ensureCheckpointKey(service.folder),
    });
    await writer.appendCheckpoint(third);
    await writer.close();
    const { json } = await service.call('/v1/audit?limit=1');
    expect(auditSchema.parse(json)).toEqual(json);
    expect(json.checkpoint).toMatchObject({ number: 1, books: 3, auditEntries: 4 });
    const checkpoint = parseCheckpoint(JSON.stringify(json.checkpoint), 'the answer');
    expect(signatureFault(checkpoint, await readPublicKeys(service.folder))).toBeNull();
  });
});
