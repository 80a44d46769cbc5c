import { describe, expect, test } from 'vitest';
import { barLine, drawnBar, duration, plainBar } from './progress.ts';

/** A stream that keeps what it is given, and a watch that is set by hand. */
function recorded(colours: boolean) {
  const written: string[] = [];
  let now = 0;
  return {
    written,
    stream: {
      columns: 200,
      isTTY: true,
      write: (text: string) => written.push(text),
      hasColors: () => colours,
    },
    seconds: () => now,
    wait: (seconds: number) => {
      now += seconds;
    },
  };
}

describe('a bar', () => {
  test('tells share, rate and remaining time', () => {
    expect(barLine('import', 500, 1000, 10, 'a.csv')).toBe(
      'import [############............]  50 %  50/s  0:10 left  a.csv',
    );
  });

  test('believes the caller who knows the pace better', () => {
    const line = barLine('train', 0.25, 1, 10, 'fit loss 0.12', { secondsLeft: 95, rate: '1.2 k rows/s' });
    expect(line).toBe('train [######..................]  25 %  1.2 k rows/s  1:35 left  fit loss 0.12');
  });

  test('stays within its bounds, before the first step and beyond the last', () => {
    expect(barLine('x', 0, 0, 0, '')).toContain('  0 %');
    expect(barLine('x', 5, 3, 1, '')).toContain('100 %');
    expect(barLine('x', 5, 3, 1, '')).toContain('########################');
  });

  test('a duration of an hour and more stays in minutes', () => {
    expect(duration(3725)).toBe('62:05');
  });

  test('is not drawn for quick work, and is wiped when the work ends', () => {
    const { stream, seconds, wait, written } = recorded(false);
    const bar = drawnBar(stream, 'x', 1, seconds);
    wait(1);
    bar.update(0.5);
    expect(written).toEqual([]);
    wait(2);
    bar.update(0.9);
    bar.finish();
    expect(written[0]).toContain('90 %');
    expect(written.at(-1)).toBe('\r\u001b[K');
  });

  test('is coloured only where the terminal takes colours, which NO_COLOR forbids it', () => {
    for (const colours of [true, false]) {
      const { stream, seconds, wait, written } = recorded(colours);
      const bar = drawnBar(stream, 'x', 1, seconds);
      wait(3);
      bar.update(0.5);
      expect(written[0].includes('\u001b[36m')).toBe(colours);
    }
  });

  test('outside a terminal is a whole line now and then, without control characters', () => {
    const { stream, seconds, wait, written } = recorded(false);
    const bar = plainBar(stream, 'train', 1, seconds);
    for (let i = 1; i <= 40; i++) {
      wait(1);
      bar.update(i / 40, 'fit');
    }
    bar.finish();
    expect(written).toEqual(['train  37 %  0:25 left  fit\n', 'train  75 %  0:10 left  fit\n']);
  });
});
