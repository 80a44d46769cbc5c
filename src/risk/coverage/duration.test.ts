import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import { discreteDurationIndependence, durationIndependence, durationMoments } from './duration.ts';

/** Exceedances after an exceedance in a fifth of cases, else in a fiftieth: Python repeats these numbers. */
function clustered(): Uint8Array {
  const { uniform } = parkMiller(4711);
  let last = 0;
  return new Uint8Array(1500).map(() => {
    last = uniform() < (last === 1 ? 0.2 : 0.02) ? 1 : 0;
    return last;
  });
}

/** From the first to the last exceedance. */
function trimmed(hits: Uint8Array): Uint8Array {
  return hits.subarray(hits.indexOf(1), hits.lastIndexOf(1) + 1);
}

function independent(n: number, rate: number, seed: number): Uint8Array {
  const random = Random.stream(seed, 'independent-hits');
  return new Uint8Array(n).map(() => (random.uniform() < rate ? 1 : 0));
}

/** Exceedances of a VaR that stays while the variance moves: clusters at the right rate. */
function unaware(n: number, seed: number): Uint8Array {
  const random = Random.stream(seed, 'unaware-hits');
  let scale = 0;
  return new Uint8Array(n).map(() => {
    scale = 0.98 * scale + 0.15 * random.normal();
    return Math.exp(scale) * Math.abs(random.normal()) > 4 ? 1 : 0;
  });
}

function expectRelative(actual: number, expected: number, digits: number): void {
  expect(actual / expected).toBeCloseTo(1, digits);
}

describe('equal to NumPy 2.4 and SciPy 1.17, by the likelihood of rugarch::VaRDurTest', () => {
  test.each([
    ['with both ends cut short', clustered(), 0.7277486591196592, 3.95143236596698, 0.04683148928260588],
    [
      'from exceedance to exceedance',
      trimmed(clustered()),
      0.7218843694458246,
      4.171703301156214,
      0.04110445681921409,
    ],
  ])('%s', (_, hits, shape, statistic, pValue) => {
    const outcome = durationIndependence(hits);
    if (!outcome.available) throw new Error(outcome.reason);
    expectRelative(outcome.shape, shape, 12);
    expectRelative(outcome.statistic, statistic, 11);
    expectRelative(outcome.pValue, pValue, 11);
    // Half of the two-sided one, on the side of clusters.
    expectRelative(outcome.pValueClustering, pValue / 2, 11);
    expect(outcome.gaps).toBe(24);
  });

  test.each([
    ['with both ends cut short', clustered(), 0.6000292110306253, 8.680752204790878, 0.0032158822968691033],
    [
      'from exceedance to exceedance',
      trimmed(clustered()),
      0.5934256918884208,
      9.03921473089855,
      0.002642491211854611,
    ],
  ])('in whole steps, %s', (_, hits, shape, statistic, pValue) => {
    const outcome = discreteDurationIndependence(hits);
    if (!outcome.available) throw new Error(outcome.reason);
    expectRelative(outcome.shape, shape, 6);
    expectRelative(outcome.statistic, statistic, 11);
    expectRelative(outcome.pValue, pValue, 10);
  });

  test.each([
    [1, 6.384641025641062, 0.011511203968627936],
    [3, 12.940671692722887, 0.004766678799617954],
    [5, 13.798773864419209, 0.01693944196299425],
  ])('by moments up to order %i', (order, statistic, pValue) => {
    const outcome = durationMoments(clustered(), 0.975, order);
    if (!outcome.available) throw new Error(outcome.reason);
    expectRelative(outcome.statistic, statistic, 11);
    expectRelative(outcome.pValue, pValue, 10);
  });

  test('by moments where the sample begins with an exceedance', () => {
    expect(durationMoments(trimmed(clustered()), 0.975, 3)).toMatchObject({
      statistic: expect.closeTo(13.708250154882986, 10),
    });
  });
});

describe('honest exceedances', () => {
  const share = (rounds: number, isRejected: (seed: number) => boolean): number => {
    let count = 0;
    for (let seed = 1; seed <= rounds; seed++) if (isRejected(seed)) count++;
    return count / rounds;
  };
  const below = (outcome: { available: boolean; pValue?: number }): boolean => (outcome.pValue ?? 1) < 0.05;

  test('at 99 % are rejected at 5 % by each test in about 5 % of series', () => {
    const hits = (seed: number): Uint8Array => independent(2500, 0.01, seed);
    for (const judge of [durationIndependence, discreteDurationIndependence, durationMomentsAt(0.99)]) {
      const rate = share(400, (seed) => below(judge(hits(seed))));
      expect(rate).toBeGreaterThan(0.02);
      expect(rate).toBeLessThan(0.09);
    }
  });

  test('at 95 % keep that share in whole steps and by moments, and lose it in continuous time, as documented', () => {
    const hits = (seed: number): Uint8Array => independent(5000, 0.05, seed);
    for (const judge of [discreteDurationIndependence, durationMomentsAt(0.95)]) {
      const rate = share(300, (seed) => below(judge(hits(seed))));
      expect(rate).toBeGreaterThan(0.02);
      expect(rate).toBeLessThan(0.09);
    }
    expect(share(100, (seed) => below(durationIndependence(hits(seed))))).toBeGreaterThan(0.15);
  });

  test('that cluster are found, with a shape below 1', () => {
    for (const judge of [durationIndependence, discreteDurationIndependence]) {
      const rate = share(60, (seed) => {
        const outcome = judge(unaware(2500, seed));
        return outcome.available && outcome.shape < 1 && outcome.pValueClustering < 0.05;
      });
      expect(rate).toBeGreaterThan(0.7);
    }
    expect(share(60, (seed) => below(durationMoments(independent(2500, 0.025, seed), 0.99)))).toBeGreaterThan(
      0.9,
    );
  });
});

function durationMomentsAt(confidence: number): (hits: Uint8Array) => ReturnType<typeof durationMoments> {
  return (hits) => durationMoments(hits, confidence);
}

describe('laws', () => {
  test('a series and its reverse are judged alike in continuous time, if an exceedance stands at both ends', () => {
    const hits = trimmed(independent(800, 0.04, 3));
    const [forth, back] = [durationIndependence(hits), durationIndependence(hits.slice().reverse())];
    if (!forth.available || !back.available) throw new Error('no outcome');
    expect(back.statistic).toBeCloseTo(forth.statistic, 10);
    expect(back.shape).toBeCloseTo(forth.shape, 10);
  });

  test('every outcome is finite, whatever the exceedances', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 80 }), (flags) => {
        const hits = Uint8Array.from(flags, Number);
        const [continuous, discrete] = [durationIndependence(hits), discreteDurationIndependence(hits)];
        for (const outcome of [continuous, discrete, durationMoments(hits, 0.9)]) {
          if (!outcome.available) continue;
          expect(Number.isFinite(outcome.statistic) && outcome.statistic >= 0).toBe(true);
          expect(outcome.pValue >= 0 && outcome.pValue <= 1).toBe(true);
        }
        for (const outcome of [continuous, discrete])
          if (outcome.available) expect(outcome.shape > 0 && Number.isFinite(outcome.shape)).toBe(true);
      }),
      { seed: 11, numRuns: 400 },
    );
  });
});

describe('what the tests cannot say they do not say', () => {
  const regular = new Uint8Array(200).map((_, t) => (t % 10 === 4 ? 1 : 0));

  test.each([
    ['no observation', new Uint8Array(0), 'too few'],
    ['no exceedance', new Uint8Array(100), 'too few'],
    ['five exceedances', Uint8Array.of(1, 0, 1, 0, 0, 1, 0, 1, 1, 0), 'too few'],
    ['gaps that are all alike', regular, 'alike'],
    ['nothing but exceedances', new Uint8Array(50).fill(1), ''],
  ])('of %s', (_, hits, reason) => {
    for (const judge of [durationIndependence, discreteDurationIndependence])
      expect(judge(hits)).toMatchObject({ available: false, reason: expect.stringContaining(reason) });
  });

  test.each([
    ['a confidence of 99', () => durationMoments(regular, 99)],
    ['an order of 0', () => durationMoments(regular, 0.9, 0)],
  ])('and %s is refused', (_, judge) => {
    expect(judge).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });
});

describe('six exceedances', () => {
  // Five whole gaps of 2, 3, 1, 4 and 2 steps.
  const six = Uint8Array.of(0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 0);
  const five = six.slice(0, 14);

  test.each<[string, (hits: Uint8Array) => { readonly available: boolean }]>([
    ['in continuous time', durationIndependence],
    ['in whole steps', discreteDurationIndependence],
    ['by their moments', (hits) => durationMoments(hits, 0.9)],
  ])('are the fewest that are judged: %s', (_, judge) => {
    expect(judge(six).available).toBe(true);
    expect(judge(five)).toMatchObject({ available: false, reason: expect.stringContaining('too few') });
  });
});
