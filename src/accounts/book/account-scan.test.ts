import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAccount } from './account-line.ts';
import { AccountScanner } from './account-scan.ts';
import { anyRecord, TEST_TERMS, testMarkets } from './test-accounts.ts';

const MARKETS = testMarkets();
const scanner = new AccountScanner(MARKETS);

/** What the slow reader says of a line; null for anything that it refuses. */
function slow(line: string): unknown {
  try {
    const read = readAccount(JSON.parse(line), MARKETS);
    return 'code' in read ? null : read;
  } catch {
    return null;
  }
}

/** Lines as senders write them, of any account. */
const anyLine = fc.tuple(anyRecord, fc.nat(20), fc.boolean()).map(([record, sequence, hasSpaces]) => {
  const { accountId, userId, isIsolated, collateral, positions } = record;
  const value = {
    ...{
      accountId,
      userId,
      marginMode: isIsolated ? 'isolated' : 'cross',
      equity: collateral.toFixed(sequence % 19),
    },
    ...(sequence > 3 ? { sequence } : {}),
    positions: positions.map(({ market, quantity, entryPrice, isolatedMargin }, i) => ({
      symbol: TEST_TERMS[market].symbol,
      side: i % 2 === 0 ? 'net' : quantity > 0 ? 'long' : 'short',
      quantity: (i % 2 === 0 ? quantity : Math.abs(quantity)).toFixed(sequence % 13),
      entryPrice: entryPrice.toFixed(8),
      ...(Number.isNaN(isolatedMargin) ? {} : { isolatedMargin: isolatedMargin.toFixed(6) }),
    })),
  };
  return hasSpaces
    ? JSON.stringify(value).replaceAll(':"', ': "').replaceAll(',', ' , ')
    : JSON.stringify(value);
});

describe('the quick reader of lines', () => {
  test('reads what senders write as the slow one does, to the bit', () => {
    let read = 0;
    fc.assert(
      fc.property(anyLine, (line) => {
        const record = scanner.read(line, 0, line.length);
        expect(record).toEqual(slow(line));
        if (record !== null) read++;
      }),
      { seed: 1, numRuns: 2000 },
    );
    expect(read).toBeGreaterThan(1000);
  });

  test('says nothing, or the same, of a line in which something was changed', () => {
    const anyPiece = fc.constantFrom(
      ...[
        '"',
        '\\',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        ' ',
        '-',
        '.',
        '0',
        '9',
        'e',
        'null',
        '\t',
        '\u00e9',
        '\u{1f600}',
      ],
      ...[
        '"positions":[]',
        '"userId":"x"',
        '"extra":1',
        ',"sequence":007',
        '"quantity":"1"',
        '00',
        '\\u0041',
      ],
    );
    fc.assert(
      fc.property(anyLine, fc.nat(), fc.nat(6), anyPiece, (line, place, cut, piece) => {
        const at = place % (line.length + 1);
        const changed = line.slice(0, at) + piece + line.slice(at + cut);
        const record = scanner.read(changed, 0, changed.length);
        if (record !== null) expect([changed, record]).toEqual([changed, slow(changed)]);
      }),
      { seed: 2, numRuns: 5000 },
    );
  });

  test('reads any decimal to the nearest number', () => {
    const anyDecimal = fc
      .tuple(fc.boolean(), fc.stringMatching(/^\d{1,15}$/), fc.stringMatching(/^\d{0,18}$/))
      .map(([isNegative, whole, rest]) => `${isNegative ? '-' : ''}${whole}${rest === '' ? '' : `.${rest}`}`);
    fc.assert(
      fc.property(anyDecimal, (decimal) => {
        const line = `{"accountId":"a","userId":"u","marginMode":"cross","equity":"${decimal}","positions":[]}`;
        expect(scanner.read(`xx${line}`, 2, line.length + 2)?.collateral).toBe(Number(decimal));
      }),
      { seed: 3, numRuns: 3000 },
    );
  });
});
