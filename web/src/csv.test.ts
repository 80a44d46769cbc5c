import { describe, expect, test } from 'vitest';
import { csvText } from './csv.ts';

describe('a table as a file', () => {
  test('quotes what would break a row (RFC 4180)', () => {
    expect(
      csvText(
        ['a', 'b'],
        [
          ['x,y', 'say "no"'],
          ['two\nlines', null],
        ],
      ),
    ).toBe('a,b\r\n"x,y","say ""no"""\r\n"two\nlines",\r\n');
  });

  test('leaves no text that a spreadsheet would run, and numbers as they are', () => {
    expect(csvText(['v'], [['=1+1'], ['@x'], ['-cmd'], ['-12.5'], [-3], [true]])).toBe(
      "v\r\n'=1+1\r\n'@x\r\n'-cmd\r\n-12.5\r\n-3\r\ntrue\r\n",
    );
  });
});
