import { describe, expect, test } from 'vitest';
import { table } from './command.ts';

describe('what the command line draws', () => {
  test('a table is aligned, numbers to the right, and no line ends in spaces', () => {
    const drawn = table(
      ['market', 'leverage', 'why'],
      [
        ['BTCUSDT', '15x', 'model'],
        ['X', '8x', ''],
      ],
    );
    expect(drawn).toBe(
      ['market   leverage  why', 'BTCUSDT       15x  model', 'X              8x'].join('\n'),
    );
  });

  test('a table without rows is its header', () => {
    expect(table(['a', 'b'], [])).toBe('a  b');
  });
});
