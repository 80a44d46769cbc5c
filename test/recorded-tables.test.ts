import { existsSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bookWith, type Row } from '../src/http/exchange/book.fixture.ts';
import { FACTS, TestService } from '../src/http/test-service.ts';
import { EXPECTED_EXCHANGE_TABLES } from './market-data-folder.ts';

const FILE = join(EXPECTED_EXCHANGE_TABLES, 'binance_leverage_tiers.json');
const HAS_FILE = existsSync(FILE);
if (!HAS_FILE) writeSync(2, `skipped the recorded table of Binance: there is none at ${FILE}\n`);

type Recorded = Readonly<Record<string, readonly { readonly info: Readonly<Record<string, string>> }[]>>;

/** Numbers as they are written, because a record has them as text. */
const asWritten = (text: string): unknown =>
  (
    JSON.parse as (
      text: string,
      reviver: (...given: [string, unknown, { source?: string }]) => unknown,
    ) => unknown
  )(text, (_key, value, { source }) => (typeof value === 'number' ? source : value));

describe.skipIf(!HAS_FILE)('a recorded table of Binance', () => {
  test('put into a book and read back is the record, to the letter', async () => {
    const recorded: Recorded = JSON.parse(readFileSync(FILE, 'utf8'));
    const all = Object.entries(recorded).map(([unified, tiers]) => {
      const [pair, settlement] = unified.split(':');
      const [, date] = settlement.split('-');
      const symbol = pair.replace('/', '') + (date === undefined ? '' : `_${date}`);
      return [symbol, tiers.map(({ info }) => info)] as const;
    });
    // A cap of 2⁶³ − 1 says that there is none. No table here is without one.
    const tables = all.filter(([, rows]) =>
      rows.every(({ notionalCap }) => notionalCap !== '9223372036854775807'),
    );
    expect(all.length - tables.length).toBeLessThan(3);
    expect(tables.length).toBeGreaterThan(300);
    const rowOf = (info: Readonly<Record<string, string>>): Row => [
      Number(info.notionalFloor),
      Number(info.notionalCap),
      Number(info.initialLeverage),
      Math.round(Number(info.maintMarginRatio) * 1e6),
      Number(info.cum),
    ];
    const service = await TestService.start({ books: 0 });
    service.plane.show(
      bookWith(Object.fromEntries(tables.map(([name, rows]) => [name, rows.map(rowOf)]))),
      FACTS,
    );
    const { text, headers } = await service.call('/fapi/v1/leverageBracket');
    await service.stop();
    const read = asWritten(text) as { symbol: string; brackets: unknown }[];
    expect(Object.fromEntries(read.map(({ symbol, brackets }) => [symbol, brackets]))).toEqual(
      Object.fromEntries(tables),
    );
    expect([headers['plimsoll-total'], headers['plimsoll-left-out']]).toEqual([String(tables.length), '0']);
  });
});
