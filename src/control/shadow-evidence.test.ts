import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../random.ts';
import { pinball } from '../risk/comparison/scores.ts';
import { eValues, largestDifference, noEvidence, type ShadowEvidence, withStep } from './shadow-evidence.ts';

/** One origin of an hour's horizon, with one VaR of each side by side. */
function step(
  evidence: ShadowEvidence,
  hour: number,
  loss: number,
  champion: number,
  challenger: number,
  horizon = 0,
): ShadowEvidence {
  const c = 0.95;
  return withStep(evidence, {
    horizon,
    hour,
    difference: pinball(loss, challenger, c) - pinball(loss, champion, c),
    bound: largestDifference(champion, challenger, c),
  });
}

describe('evidence on a challenger', () => {
  test('the difference of two pinball losses is within the bound that the bets rest on', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const confidences = fc.constantFrom(0.95, 0.99, 0.995, 0.999);
    fc.assert(
      fc.property(share, share, share, confidences, (loss, a, b, c) => {
        const difference = pinball(loss, b, c) - pinball(loss, a, c);
        expect(Math.abs(difference)).toBeLessThanOrEqual(largestDifference(a, b, c) + 1e-12);
      }),
    );
  });

  test('nothing is known before the first step, and forecasts that are the same say nothing', () => {
    const none = eValues(noEvidence());
    expect(none.worse).toBeLessThanOrEqual(1);
    expect(eValues(step(noEvidence(), 0, 0.1, 0.02, 0.02))).toEqual(none);
  });

  test('the wealth of one chain is what a slow product says', () => {
    const stakes = [0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8];
    const random = new Random(3);
    let evidence = noEvidence();
    const products = stakes.map(() => 1);
    for (let hour = 0; hour < 60; hour++) {
      const loss = 0.01 * random.exponential();
      const payoff = (pinball(loss, 0.02, 0.95) - pinball(loss, 0.03, 0.95)) / (0.95 * 0.01);
      for (const [j, stake] of stakes.entries()) products[j] *= 1 + stake * payoff;
      evidence = step(evidence, hour, loss, 0.03, 0.02);
    }
    const mean = products.reduce((sum, own) => sum + own, 0) / stakes.length;
    // Divided by the four horizons, of which this has one chain.
    expect(eValues(evidence).worse).toBeCloseTo(mean / 4, 10);
  });

  test('finds a VaR that is too low worse, and one that is right better, from exponential losses', () => {
    const random = new Random(8);
    const right = -0.01 * Math.log(0.05);
    let low = noEvidence();
    let mended = noEvidence();
    for (let hour = 0; hour < 1500; hour++) {
      const loss = 0.01 * random.exponential();
      low = step(low, hour, loss, right, 0.5 * right);
      mended = step(mended, hour, loss, 0.5 * right, right);
    }
    expect(eValues(low).worse).toBeGreaterThan(20);
    expect(eValues(low).better).toBeLessThan(1);
    expect(eValues(mended).better).toBeGreaterThan(20);
    expect(eValues(mended).worse).toBeLessThan(1);
  });

  test.each([
    ['an hour', 0, 1],
    ['eight hours, whose losses overlap', 2, 8],
  ] as const)(
    'of two forecasters that are equally good, over %s, one in twenty or fewer is ever called worse',
    (_, horizon, hours) => {
      const random = new Random(21);
      const runs = 300;
      let alarms = 0;
      for (let run = 0; run < runs; run++) {
        let evidence = noEvidence();
        let isAlarmed = false;
        const waiting: { hour: number; champion: number; challenger: number }[] = [];
        const shocks: number[] = [];
        for (let hour = 0; hour < 300; hour++) {
          shocks.push(random.exponential());
          const due = waiting[0];
          if (due !== undefined && hour - due.hour >= hours) {
            waiting.shift();
            // The largest of overlapping shocks: neighbours are nearly the same.
            const loss = Math.max(...shocks.slice(due.hour + 1, hour + 1));
            evidence = step(evidence, due.hour, loss, due.champion, due.challenger, horizon);
            isAlarmed ||= eValues(evidence).worse >= 20;
          }
          // Who of the two has which VaR is drawn anew each hour: neither is better on average.
          const [champion, challenger] = random.uniform() < 0.5 ? [2, 5] : [5, 2];
          waiting.push({ hour, champion, challenger });
        }
        if (isAlarmed) alarms++;
      }
      expect(alarms / runs).toBeLessThanOrEqual(0.05);
    },
  );
});
