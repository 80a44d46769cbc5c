import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MarketTrack } from './market-track.ts';
import type { TrackPoint } from './track-point.ts';

const HOUR = 3_600_000;
const WEEK = 168;
const START = 470_000;

function point(symbol: string, version: number, hour: number, close: number | null = hour): TrackPoint {
  return {
    ...{ symbol, version, asOf: hour * HOUR, close, maxLeverage: version, bindingBound: 'liquidity' },
    ...{ horizonHours: 4, confidence: 0.99, longValueAtRisk: null, shortValueAtRisk: null },
  };
}

/** What a window says, looked for in all points: of the two hours of each step the newest hour, and of it the newest version. */
function expected(points: readonly TrackPoint[], symbol: string, end: number) {
  const at = (hour: number, of: (one: TrackPoint) => number | null): number | null =>
    points
      .filter((one) => one.symbol === symbol && one.asOf === hour * HOUR && of(one) !== null)
      .map(of)
      .at(-1) ?? null;
  const steps = Array.from({ length: 84 }, (_, i) => end - 2 * (83 - i));
  const column = (of: (one: TrackPoint) => number | null): (number | null)[] =>
    steps.map((hour) => at(hour, of) ?? at(hour - 1, of));
  return { leverage: column(({ maxLeverage }) => maxLeverage), closes: column(({ close }) => close) };
}

test('whatever is stored and published, and whenever it is filled, a window has the newest decision of each step', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ hours: fc.integer({ min: 0, max: 60 }), late: fc.nat(3), isGuard: fc.boolean() }),
        {
          minLength: 1,
          maxLength: 40,
        },
      ),
      fc.nat(40),
      async (steps, filledAt) => {
        const points: TrackPoint[] = [];
        let stored: TrackPoint[] = [];
        const track = new MarketTrack(async (asOf) => stored.filter((one) => one.asOf >= asOf));
        let hour = START;
        for (const [i, { hours, late, isGuard }] of steps.entries()) {
          hour += hours;
          const made = [
            point('AUSDT', i + 1, hour, isGuard ? null : hour),
            // Its bars come late now and then, and so belong to an hour before.
            ...(isGuard ? [] : [point('BUSDT', i + 1, hour - late)]),
          ];
          points.push(...made);
          stored = [...points];
          track.published(made);
          if (i === filledAt) await track.fill(hour * HOUR);
        }
        await track.fill(hour * HOUR);
        const window = track.window(hour * HOUR);
        const kept = points.filter(({ asOf }) => asOf > (hour - WEEK) * HOUR);
        for (const symbol of ['AUSDT', 'BUSDT']) {
          const { leverage, closes, dayAgoMaxLeverage, dayAgoClose } = window.of(symbol);
          expect({ leverage, closes }).toEqual(expected(kept, symbol, hour));
          expect([dayAgoMaxLeverage, dayAgoClose]).toEqual([leverage[71], closes[71]]);
        }
        expect(window.times.at(-1)).toBe(hour * HOUR);
        expect(window.times[71]).toBe((hour - 24) * HOUR);
      },
    ),
    { seed: 3, numRuns: 200 },
  );
});

test('what is published while the store is read is neither lost nor overwritten by older points', async () => {
  let answer: (points: readonly TrackPoint[]) => void = () => {};
  const track = new MarketTrack(() => new Promise((resolve) => (answer = resolve)));
  const filled = Promise.all([track.fill(START * HOUR), track.fill(START * HOUR)]);
  track.published([point('AUSDT', 2, START), point('BUSDT', 2, START)]);
  expect(track.isFilled).toBe(false);
  answer([point('AUSDT', 1, START)]);
  await filled;
  const window = track.window(START * HOUR);
  expect([window.of('AUSDT').leverage.at(-1), window.of('BUSDT').leverage.at(-1)]).toEqual([2, 2]);
  expect(window.of('NONEUSDT').leverage).toEqual(Array(84).fill(null));
});

test('a store that could not be read is asked again', async () => {
  let reads = 0;
  const track = new MarketTrack(async () => {
    if (reads++ === 0) throw new Error('the disk is gone');
    return [point('AUSDT', 1, START)];
  });
  await expect(track.fill(START * HOUR)).rejects.toThrow('the disk is gone');
  expect(track.isFilled).toBe(false);
  await track.fill(START * HOUR);
  expect(
    track
      .window(START * HOUR)
      .of('AUSDT')
      .leverage.at(-1),
  ).toBe(1);
});

test('the close of a decision is that of its own bar', async () => {
  const track = new MarketTrack(async () => [
    point('AUSDT', 1, START - 1, 7),
    point('AUSDT', 2, START, null),
  ]);
  await track.fill(START * HOUR);
  const window = track.window(START * HOUR);
  expect(window.closeOf('AUSDT', (START - 1) * HOUR)).toBe(7);
  expect(window.closeOf('AUSDT', START * HOUR)).toBeNull();
  expect(window.closeOf('NONEUSDT', START * HOUR)).toBeNull();
});
