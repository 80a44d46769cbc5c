import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import type { ErrorDistribution } from '../volatility/garch/model.ts';
import type { LossSample, LossTarget, Side } from './loss-sample.ts';
import { reflectedNormalRisk, studentRisk } from './parametric.ts';
import { simulatedRisk } from './simulated.ts';
import type { TailRisk } from './value-at-risk.ts';

const VOLATILITY = 0.001;
const SIDES: readonly Side[] = ['long', 'short'];

/** Of returns with a constant volatility, which have closed forms. */
function simulated(
  side: Side,
  target: LossTarget,
  horizon: number,
  { seesWithinSteps = false, distribution = 'normal' as ErrorDistribution, mu = 0, volatility = VOLATILITY },
): TailRisk {
  const sample: LossSample = {
    side,
    target,
    horizon,
    losses: new Float64Array(0),
    returns: new Float64Array(0),
    seesWithinSteps,
  };
  const variance = volatility * volatility;
  const fit = {
    specification: { model: 'garch', distribution, mean: 'constant', start: 'backcast' } as const,
    parameters: {
      mu,
      omega: variance,
      alpha: 0,
      gamma: 0,
      beta: 0,
      nu: distribution === 't' ? 4 : Number.POSITIVE_INFINITY,
    },
    nextVariance: variance,
  };
  return simulatedRisk(sample, fit, 0.95, 40_000, Random.stream(3, 'simulated'));
}

describe('losses on simulated paths', () => {
  test('of a drift that hardly varies are the drift compounded, for each side its own', () => {
    const sure = { mu: 0.05, volatility: 1e-9 };
    expect(simulated('long', 'terminal', 3, sure).valueAtRisk).toBeCloseTo(1 - 1.05 ** 3, 7);
    expect(simulated('short', 'terminal', 3, sure).valueAtRisk).toBeCloseTo(1.05 ** 3 - 1, 7);
    expect(simulated('long', 'excursion', 3, sure).valueAtRisk).toBe(0);
    expect(simulated('short', 'excursion', 3, sure).valueAtRisk).toBeCloseTo(1.05 ** 3 - 1, 7);
    const falling = { mu: -0.05, volatility: 1e-9 };
    expect(simulated('long', 'excursion', 3, falling).valueAtRisk).toBeCloseTo(1 - 0.95 ** 3, 7);
    expect(simulated('short', 'excursion', 3, falling).valueAtRisk).toBe(0);
  });

  test.each(SIDES)(
    'seen within steps, the worst on a normal path follows the reflection principle: %s',
    (side) => {
      const unit = reflectedNormalRisk(0.95);
      for (const horizon of [1, 4]) {
        const risk = simulated(side, 'excursion', horizon, { seesWithinSteps: true });
        const scale = VOLATILITY * Math.sqrt(horizon);
        expect(Math.abs(risk.valueAtRisk / (unit.valueAtRisk * scale) - 1)).toBeLessThan(0.02);
        expect(Math.abs(risk.expectedShortfall / (unit.expectedShortfall * scale) - 1)).toBeLessThan(0.02);
      }
    },
  );

  test.each(SIDES)(
    'under t errors a step is a diffusion whose variance is drawn, so that reflection doubles the t tail: %s',
    (side) => {
      const risk = simulated(side, 'excursion', 1, { seesWithinSteps: true, distribution: 't' });
      const reflected = studentRisk(0.975, 4);
      expect(Math.abs(risk.valueAtRisk / (reflected.valueAtRisk * VOLATILITY) - 1)).toBeLessThan(0.02);
      expect(Math.abs(risk.expectedShortfall / (reflected.expectedShortfall * VOLATILITY) - 1)).toBeLessThan(
        0.03,
      );
      // The drift is no part of what a shock says of its variance.
      const drifting = simulated(side, 'excursion', 1, {
        seesWithinSteps: true,
        distribution: 't',
        mu: 1e-5,
      });
      expect(Math.abs(drifting.valueAtRisk / risk.valueAtRisk - 1)).toBeLessThan(0.01);
    },
  );

  test('seen at the ends of steps only are less than within', () => {
    const ends = simulated('long', 'excursion', 4, {});
    const within = simulated('long', 'excursion', 4, { seesWithinSteps: true });
    expect(ends.valueAtRisk).toBeLessThan(within.valueAtRisk * 0.95);
    expect(ends.valueAtRisk).toBeGreaterThan(simulated('long', 'terminal', 4, {}).valueAtRisk);
  });
});
