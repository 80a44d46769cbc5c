import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BarSeries, emptyBars, type MarketHistory } from '../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';
import type { QualityFinding, QualityGrade } from './ports.ts';
import { judgeQuality, QUALITY_LIMITS } from './quality.ts';

const START = Date.UTC(2024, 0, 1);
const WINDOW = QUALITY_LIMITS.windowHours;

/** Quiet hourly bars at the price 100, of which a test spoils some. */
function quietBars(hours: number, keep: (hour: number) => boolean = () => true): BarSeries {
  const kept = Array.from({ length: hours }, (_, i) => i).filter(keep);
  const bars = emptyBars(kept.length, HOUR_MILLISECONDS);
  kept.forEach((hour, i) => {
    bars.openTime[i] = START + hour * HOUR_MILLISECONDS;
    bars.open[i] = 100;
    bars.close[i] = 100;
    bars.high[i] = 100.2;
    bars.low[i] = 99.8;
    bars.volume[i] = 5;
    bars.quoteVolume[i] = 500;
  });
  return bars;
}

function judge(bars: BarSeries, hours: number, mark: BarSeries | null = null) {
  const history: MarketHistory = {
    symbol: 'BTCUSDT',
    source: 'BTCUSDT-binance-perp-1h',
    simulated: false,
    // A series of its own: tests change bars in place, which no series that grows does.
    bars: { ...bars },
    funding: null,
    openInterest: null,
    mark,
  };
  return judgeQuality(history, START + hours * HOUR_MILLISECONDS);
}

function gradesOf(
  findings: readonly QualityFinding[],
): Partial<Record<QualityFinding['code'], QualityGrade>> {
  return Object.fromEntries(findings.map(({ code, grade }) => [code, grade]));
}

test('whole, fresh and quiet bars are accepted without a finding, at any age of the market', () => {
  for (const hours of [24, 100, WINDOW, WINDOW + 1, 2 * WINDOW])
    expect(judge(quietBars(hours), hours)).toEqual({ grade: 'accept', findings: [] });
});

test('a bar that is not closed yet is not judged', () => {
  const bars = quietBars(101);
  bars.low[100] = 1;
  bars.volume[100] = 0;
  expect(judge(bars, 100.5)).toEqual({ grade: 'accept', findings: [] });
});

describe('too few bars to judge are rejected', () => {
  test.each([0, 1, QUALITY_LIMITS.leastBars - 1])('%d of them', (count) => {
    const { grade, findings } = judge(quietBars(count), count);
    expect(grade).toBe('reject');
    expect(findings).toEqual([
      {
        code: 'SHORT',
        grade: 'reject',
        count,
        share: 0,
        detail: expect.stringContaining(`only ${count} bars`),
      },
    ]);
  });

  test('bars before the window do not count', () => {
    expect(gradesOf(judge(quietBars(500), 500 + WINDOW).findings)).toEqual({ SHORT: 'reject' });
  });
});

describe('gaps', () => {
  test('are counted where they are, and graded by their share', () => {
    const few = judge(
      quietBars(WINDOW, (hour) => hour < 100 || hour >= 107),
      WINDOW,
    );
    const some = judge(
      quietBars(WINDOW, (hour) => hour < 100 || hour >= 108),
      WINDOW,
    );
    const many = judge(
      quietBars(WINDOW, (hour) => hour % 4 !== 1),
      WINDOW,
    );
    expect(few.findings).toEqual([]);
    expect(some.grade).toBe('degrade');
    expect(some.findings).toEqual([
      {
        code: 'GAPS',
        grade: 'degrade',
        count: 8,
        share: 8 / WINDOW,
        detail: '8 of 720 hours have no bar (1.11 %)',
      },
    ]);
    expect(many.grade).toBe('reject');
    expect(gradesOf(many.findings)).toEqual({ GAPS: 'reject' });
  });

  test('at the start of the window count for a market that was there before it, not for a younger one', () => {
    const hours = 3 * WINDOW;
    const returned = judge(
      quietBars(hours, (hour) => hour < 100 || hour >= hours - 200),
      hours,
    );
    const listed = judge(
      quietBars(hours, (hour) => hour >= hours - 200),
      hours,
    );
    expect(gradesOf(returned.findings)).toEqual({ GAPS: 'reject' });
    expect(returned.findings[0].count).toBe(WINDOW - 200);
    expect(listed.grade).toBe('accept');
  });

  test('whatever bars are missing, the count is that of the missing ones', () => {
    const missing = fc.uniqueArray(fc.integer({ min: 1, max: 298 }), { minLength: 5, maxLength: 200 });
    fc.assert(
      fc.property(missing, (hours) => {
        const { findings } = judge(
          quietBars(300, (hour) => !hours.includes(hour)),
          300,
        );
        expect(findings.find(({ code }) => code === 'GAPS')?.count).toBe(hours.length);
      }),
      { numRuns: 100, seed: 4 },
    );
  });
});

test('age of the newest bar: accepted below three hours, degraded from there, rejected from two days', () => {
  const bars = quietBars(200);
  const grades = [0, 2.9, 3, 47.9, 48, 300].map((age) => gradesOf(judge(bars, 200 + age).findings).STALE);
  expect(grades).toEqual([undefined, undefined, 'degrade', 'degrade', 'reject', 'reject']);
  const [stale] = judge(bars, 205).findings;
  expect(stale).toMatchObject({ code: 'STALE', count: 5, detail: 'the newest bar closed 5 hours ago' });
});

describe('spikes', () => {
  const HOURS = 200;
  const spoiled = (...at: number[]): BarSeries => {
    const bars = quietBars(HOURS);
    for (const i of at) bars.low[i] = 50;
    return bars;
  };

  test('are wicks that nothing confirms, down or up, graded by their share', () => {
    const down = judge(spoiled(20), HOURS);
    const upwards = quietBars(HOURS);
    upwards.high[20] = 200;
    const up = judge(upwards, HOURS);
    expect([gradesOf(down.findings), gradesOf(up.findings)]).toEqual([
      { SPIKES: 'degrade' },
      { SPIKES: 'degrade' },
    ]);
    expect(down.findings[0]).toMatchObject({ count: 1, share: 1 / HOURS });
    const every = Array.from({ length: 20 }, (_, i) => 5 * i + 1);
    expect(gradesOf(judge(spoiled(...every), HOURS).findings)).toEqual({ SPIKES: 'reject' });
  });

  test('a wick is far from the least move on, and not a hair before', () => {
    const { open, close } = quietBars(HOURS);
    const floor = Math.min(open[20], close[20]);
    for (const [share, grades] of [
      [0.850001, {}],
      [0.849999, { SPIKES: 'degrade' }],
    ] as const) {
      const bars = quietBars(HOURS);
      bars.low[20] = share * floor;
      expect(gradesOf(judge(bars, HOURS).findings)).toEqual(grades);
    }
  });

  test('a wick as far as its market usually goes is none', () => {
    const bars = quietBars(HOURS);
    bars.low[20] = 86;
    expect(judge(bars, HOURS).findings).toEqual([]);
  });

  test('a wick that the mark price shares is the market, one that it does not share is a spike', () => {
    const mark = quietBars(HOURS);
    mark.low[20] = 52;
    expect(judge(spoiled(20), HOURS, mark).findings).toEqual([]);
    expect(gradesOf(judge(spoiled(20, 40), HOURS, mark).findings)).toEqual({ SPIKES: 'degrade' });
  });

  test('a wick near which the next hour closes is the market, unless that hour is missing', () => {
    const bars = spoiled(20);
    bars.low[21] = 51;
    bars.close[21] = 52;
    bars.open[22] = 52;
    bars.low[22] = 52;
    expect(gradesOf(judge(bars, HOURS).findings)).toEqual({});
    const apart = quietBars(HOURS, (hour) => hour !== 21);
    apart.low[20] = 50;
    apart.open[21] = 52;
    apart.close[21] = 52;
    apart.low[21] = 52;
    expect(gradesOf(judge(apart, HOURS).findings)).toEqual({ SPIKES: 'degrade' });
  });

  test('the mark price of another hour confirms nothing', () => {
    const mark = quietBars(HOURS, (hour) => hour !== 20);
    mark.low[19] = 50;
    mark.low[20] = 50;
    expect(gradesOf(judge(spoiled(20), HOURS, mark).findings)).toEqual({ SPIKES: 'degrade' });
  });
});

describe('marks', () => {
  test('a close further than 5 % from the mark price of its hour is counted', () => {
    const bars = quietBars(100);
    const mark = quietBars(100, (hour) => hour % 10 !== 7);
    mark.close[3] = 106;
    mark.close[4] = 94;
    mark.close[5] = 104;
    const { findings } = judge(bars, 100, mark);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ code: 'CROSSED_MARK', grade: 'degrade', count: 2, share: 0.02 });
  });

  test('marks that end early or cover other hours only are not counted', () => {
    const early = quietBars(50);
    expect(judge(quietBars(100), 100, early).findings).toEqual([]);
    expect(judge(quietBars(100), 100, emptyBars(0, HOUR_MILLISECONDS)).findings).toEqual([]);
  });
});

describe('hours without a trade', () => {
  test('are counted and graded by their share', () => {
    const bars = quietBars(100);
    const hole = (from: number, to: number): void => {
      bars.volume.fill(0, from, to);
      bars.quoteVolume.fill(0, from, to);
    };
    hole(10, 14);
    expect(judge(bars, 100).findings).toEqual([]);
    hole(10, 15);
    expect(judge(bars, 100).findings).toMatchObject([{ code: 'VOLUME_HOLES', grade: 'degrade', count: 5 }]);
    hole(10, 60);
    expect(judge(bars, 100).grade).toBe('reject');
  });

  test('a source that never gives volumes is not blamed for it; one that stopped giving them is', () => {
    const hours = 2 * WINDOW;
    const never = quietBars(hours);
    never.volume.fill(0);
    never.quoteVolume.fill(0);
    const stopped = quietBars(hours);
    stopped.volume.fill(0, WINDOW);
    stopped.quoteVolume.fill(0, WINDOW);
    expect(judge(never, hours)).toEqual({ grade: 'accept', findings: [] });
    expect(gradesOf(judge(stopped, hours).findings)).toEqual({ VOLUME_HOLES: 'reject' });
  });
});

test('the worst finding gives the grade, whatever else is found', () => {
  const bars = quietBars(200, (hour) => hour % 3 !== 1);
  bars.low[30] = 40;
  const { grade, findings } = judge(bars, 204);
  expect(gradesOf(findings)).toEqual({ GAPS: 'reject', STALE: 'degrade' });
  expect(grade).toBe('reject');
});

test('what comes after the time of the judgement changes nothing: no peeking', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 30, max: 290 }),
      fc.integer({ min: 0, max: 2 ** 31 }),
      fc.constantFrom(0, 0.5, 1, 7.25),
      (hours, seed, later) => {
        const bars = quietBars(300, (hour) => (hour * 7919 + seed) % 11 !== 0);
        bars.low[(seed >>> 3) % bars.length] = 30;
        bars.volume.fill(0, seed % 100, (seed % 100) + 20);
        bars.quoteVolume.fill(0, seed % 100, (seed % 100) + 20);
        if (seed % 3 === 0) for (const column of [bars.volume, bars.quoteVolume]) column.fill(0);
        const asOf = START + (hours + later) * HOUR_MILLISECONDS;
        const known = bars.openTime.filter((time) => time + HOUR_MILLISECONDS <= asOf).length;
        const spoiled = structuredClone(bars) as BarSeries;
        spoiled.volume.fill(7, known);
        for (let i = known; i < bars.length; i++) spoiled.low[i] = spoiled.close[i] = spoiled.open[i] = 1e-9;
        expect(judge(spoiled, hours + later)).toEqual(judge(bars, hours + later));
      },
    ),
    { numRuns: 100, seed: 9 },
  );
});
