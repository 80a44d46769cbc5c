import { expect, test } from 'vitest';
import { Random } from '../src/random.ts';
import { type BarSeries, emptyBars, sliceBars } from '../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';
import { BarMarks } from './marked-bars.ts';

const WICK_SHARE = 0.1;

function wildBars(length: number, random: Random): BarSeries {
  const bars = emptyBars(length, HOUR_MILLISECONDS);
  for (let i = 0; i < length; i++) {
    const wick = () => (random.uniform() < 0.05 ? 0.5 : 0.01) * random.uniform();
    bars.openTime[i] = i * HOUR_MILLISECONDS;
    bars.open[i] = 100;
    bars.close[i] = 101;
    bars.low[i] = 100 * (1 - wick());
    bars.high[i] = 101 * (1 + wick());
    bars.volume[i] = random.uniform() < 0.1 ? 0 : 5;
  }
  return bars;
}

test('marked bars depend on the window alone, whether it moves on, back or away', () => {
  const random = new Random(11);
  const bars = wildBars(600, random);
  const moving = new BarMarks(WICK_SHARE);
  let [from, end] = [0, 100];
  for (let step = 0; step < 200; step++) {
    const jump = random.uniform();
    if (jump < 0.05) from = Math.floor(random.uniform() * 500);
    else from += Math.floor(random.uniform() * 3);
    end =
      jump > 0.9
        ? from + Math.floor(random.uniform() * 50)
        : Math.max(from, end) + Math.floor(random.uniform() * 3);
    from = Math.min(from, 599);
    end = Math.min(Math.max(end, from), 600);
    const begun = new BarMarks(WICK_SHARE).of({ ...bars }, from, end);
    const { wicks, holes } = moving.of(sliceBars(bars, 0, end), from, end);
    expect({ wicks, holes }).toEqual({ wicks: begun.wicks, holes: begun.holes });
    // By the words of the interface, bar for bar.
    const all = Array.from({ length: end - from }, (_, i) => from + i);
    expect(holes).toEqual(all.filter((i) => bars.volume[i] === 0 && bars.quoteVolume[i] === 0));
    const isWick = (i: number) =>
      bars.low[i] <= 100 * (1 - WICK_SHARE) || bars.high[i] >= 101 * (1 + WICK_SHARE);
    expect(wicks).toEqual(all.filter(isWick));
  }
});
