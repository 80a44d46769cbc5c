import { expect, test } from 'vitest';
import { DEFAULT_CONTRACTS } from '../../limits/account-policy.ts';
import { bookWith, type Row } from './book.fixture.ts';
import { contractInfoMessages } from './contract-info.ts';

const ROWS: readonly Row[] = [
  [0, 5_000, 50, 10_000, 0],
  [5_000, 25_000, 20, 25_000, 75],
  [25_000, 100_000, 1, 500_000, 11_950.5],
];
const messages = (
  before: Readonly<Record<string, readonly Row[]>> | null,
  now: Readonly<Record<string, readonly Row[]>>,
) => contractInfoMessages(before === null ? null : bookWith(before), bookWith(now), DEFAULT_CONTRACTS);

test('a changed table is told whole, byte for byte as the example of Binance', () => {
  const raised = ROWS.map((row, i): Row => (i === 0 ? [0, 5_000, 50, 10_001, 0] : row));
  const book = { ...bookWith({ BTCUSDT: ROWS }), decidedAt: 1669647330323 };
  const [message] = contractInfoMessages(bookWith({ BTCUSDT: raised }), book, DEFAULT_CONTRACTS);
  expect(JSON.stringify(message)).toBe(
    '{"e":"contractInfo","E":1669647330323,"s":"BTCUSDT","ps":"BTCUSDT","ct":"PERPETUAL","dt":4133404800000,"ot":0,"cs":"TRADING",' +
      '"bks":[{"bs":1,"bnf":0,"bnc":5000,"mmr":0.01,"cf":0,"mi":21,"ma":50},' +
      '{"bs":2,"bnf":5000,"bnc":25000,"mmr":0.025,"cf":75,"mi":2,"ma":20},' +
      '{"bs":3,"bnf":25000,"bnc":100000,"mmr":0.5,"cf":11950.5,"mi":1,"ma":1}]}',
  );
});

test('tables that are as before are not told again', () => {
  expect(messages({ BTCUSDT: ROWS, ETHUSDT: ROWS }, { BTCUSDT: ROWS, ETHUSDT: ROWS })).toEqual([]);
  const told = messages({ BTCUSDT: ROWS, ETHUSDT: ROWS }, { BTCUSDT: ROWS, ETHUSDT: ROWS.slice(0, 2) });
  expect(told.map(({ s, bks }) => [s, bks?.length])).toEqual([['ETHUSDT', 2]]);
});

test.each([0, 1, 2, 3, 4])('a change of number %i of a row is a change', (at) => {
  const changed = ROWS.map((row, i) => (i === 1 ? row.with(at, row[at] + 1) : row)) as unknown as Row[];
  expect(messages({ BTCUSDT: ROWS }, { BTCUSDT: changed })).toHaveLength(1);
});

test('new markets are told with their tables, and those that are gone as closed', () => {
  expect(messages(null, { BTCUSDT: ROWS })).toHaveLength(1);
  const told = messages({ BTCUSDT: ROWS, OLDUSDT: ROWS }, { BTCUSDT: ROWS, NEWUSDT: ROWS });
  expect(told.map(({ s, cs, bks }) => [s, cs, bks?.length])).toEqual([
    ['NEWUSDT', 'TRADING', 3],
    ['OLDUSDT', 'CLOSE', undefined],
  ]);
});

test('coin-margined markets are of another stream', () => {
  expect(messages(null, { BTCUSD_PERP: ROWS })).toEqual([]);
});
