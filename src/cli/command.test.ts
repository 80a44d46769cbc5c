import { describe, expect, test } from 'vitest';
import { table } from './command.ts';
import { barLine, duration } from './context.ts';

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

  test('a bar tells share, rate and remaining time', () => {
    expect(barLine('import', 500, 1000, 10, 'a.csv')).toBe(
      'import [############............]  50 %  50/s  0:10 left  a.csv',
    );
  });

  test('a bar stays within its bounds, before the first step and beyond the last', () => {
    expect(barLine('x', 0, 0, 0, '')).toContain('  0 %');
    expect(barLine('x', 5, 3, 1, '')).toContain('100 %');
    expect(barLine('x', 5, 3, 1, '')).toContain('########################');
  });

  test('a duration of an hour and more stays in minutes', () => {
    expect(duration(3725)).toBe('62:05');
  });
});
