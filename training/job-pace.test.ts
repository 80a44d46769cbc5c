import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JobPace } from './job-pace.ts';

const step = (phase: string, share: number, done?: number) => ({
  phase,
  share,
  remark: '',
  ...(done === undefined ? {} : { work: { done, unit: 'rows' } }),
});

describe('the pace of a job', () => {
  test('counts phases as long as they took last time', () => {
    const pace = new JobPace([
      ['load', 10],
      ['fit', 90],
    ]);
    expect(pace.step(step('load', 0.5), 5).share).toBeCloseTo(0.05, 12);
    expect(pace.step(step('fit', 0), 10)).toMatchObject({ share: 0.1, secondsLeft: 90 });
    expect(pace.step(step('fit', 1), 100)).toMatchObject({ share: 1, secondsLeft: 0 });
  });

  test('a run twice as slow as the last is told to take about twice as long', () => {
    const pace = new JobPace([['fit', 1000]]);
    const { secondsLeft } = pace.step(step('fit', 0.5), 1000);
    expect(secondsLeft).toBeGreaterThan(950);
    expect(secondsLeft).toBeLessThan(1000);
  });

  test('the rate is that of the phase alone', () => {
    const pace = new JobPace([
      ['load', 10],
      ['fit', 90],
    ]);
    pace.step(step('load', 1), 0);
    expect(pace.step(step('fit', 0, 0), 10).rate).toBeNull();
    expect(pace.step(step('fit', 0.5, 300), 13).rate).toEqual({ perSecond: 100, unit: 'rows' });
    expect(pace.taken(20)).toEqual({ load: 10, fit: 10 });
  });

  test('a phase that nobody expected adds nothing, and no share leaves its bounds', () => {
    const phases = fc.array(
      fc.tuple(fc.constantFrom('load', 'fit', 'surprise'), fc.double({ min: -1, max: 2, noNaN: true })),
    );
    fc.assert(
      fc.property(phases, (steps) => {
        const pace = new JobPace([
          ['load', 1],
          ['fit', 3],
        ]);
        for (const [i, [phase, share]] of steps.entries()) {
          const standing = pace.step(step(phase, share), i);
          expect(standing.share).toBeGreaterThanOrEqual(0);
          expect(standing.share).toBeLessThanOrEqual(1);
          expect(standing.secondsLeft).toBeGreaterThanOrEqual(0);
        }
        const total = Object.values(pace.taken(steps.length)).reduce((sum, seconds) => sum + seconds, 0);
        expect(total).toBeCloseTo(steps.length, 9);
      }),
    );
  });
});
