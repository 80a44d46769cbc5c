import { describe, expect, test } from 'vitest';
import { Random } from '../random.ts';
import {
  type CoverageAlarmState,
  type CoverageTier,
  newAlarms,
  type OriginCount,
  tierEvidence,
  withOrigins,
} from './coverage-alarms.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2024, 0, 1);

function tierOf(state: CoverageAlarmState, horizonHours: number, confidence: number): CoverageTier {
  const found = state.tiers.find((t) => t.horizonHours === horizonHours && t.confidence === confidence);
  if (found === undefined) throw new Error('no such tier');
  return found;
}

/** Forecasts of 20 markets that move together, over overlapping horizons: `rate` is how often VaR is exceeded. */
function run(
  seed: number,
  hours: number,
  horizonHours: number,
  confidence: number,
  rate: number,
): CoverageTier {
  const random = Random.stream(seed, 'coverage-alarms');
  let state = newAlarms('model@1');
  const shocks: number[] = [];
  // The largest of h common uniform shocks exceeds this with probability `rate`.
  const bound = (1 - rate) ** (1 / horizonHours);
  for (let hour = 0; hour < hours; hour++) {
    shocks.push(random.uniform());
    const origin = hour - horizonHours;
    if (origin < 0) continue;
    const isHit = shocks.slice(origin + 1, hour + 1).some((shock) => shock > bound);
    const asOf = START + origin * HOUR;
    const due = { asOf, horizonHours, confidence, observations: 40, exceedances: isHit ? 40 : 0 };
    state = withOrigins(state, [due], START + hour * HOUR, START + hour * HOUR);
  }
  return tierOf(state, horizonHours, confidence);
}

describe('alarms of coverage', () => {
  test.each([
    [1, 0.95],
    [4, 0.95],
    [8, 0.99],
  ] as const)(
    'over %i h at %f, right forecasts of markets that move as one, over horizons that overlap, raise no more alarms than stated',
    (horizon, confidence) => {
      let alarms = 0;
      const runs = 200;
      for (let seed = 0; seed < runs; seed++) {
        const { alarmedAt } = run(seed, 600, horizon, confidence, 1 - confidence);
        if (alarmedAt.exceeded !== null || alarmedAt.overstated !== null) alarms++;
      }
      // At most 1 % for each of two directions.
      expect(alarms / runs).toBeLessThanOrEqual(0.02);
    },
  );

  test.each([
    [1, 0.95, 0.15],
    [4, 0.95, 0.2],
    [1, 0.99, 0.05],
  ] as const)('over %i h at %f, a rate of %f is found', (horizon, confidence, rate) => {
    const tier = run(3, 1500, horizon, confidence, rate);
    expect(tier.alarmedAt.exceeded).not.toBeNull();
    expect(tier.alarmedAt.overstated).toBeNull();
  });

  test('a VaR that is never exceeded is called overstated in time', () => {
    const tier = run(3, 400, 1, 0.95, 0);
    expect(tier.alarmedAt.overstated).not.toBeNull();
    expect(tier.alarmedAt.exceeded).toBeNull();
  });

  test('the evidence is the mean over stakes of the products of the means of e-values, over the chains', () => {
    const rates = [0, 0.1, 0.25, 0];
    let state = newAlarms('model@1');
    for (const [i, rate] of rates.entries()) {
      const count = { asOf: START + i * HOUR, horizonHours: 1, confidence: 0.95, observations: 20 };
      state = withOrigins(state, [{ ...count, exceedances: 20 * rate }], START + (i + 2) * HOUR, 0);
    }
    const stakes = [...[0.25, 0.5, 1, 2, 4, 9].map((share) => share * 0.05), 0.05, 0.15, 0.4];
    const products = stakes.map((stake) =>
      rates.reduce((product, rate) => product * (1 - stake + (stake * rate) / 0.05), 1),
    );
    const mean = products.reduce((sum, product) => sum + product, 0) / stakes.length;
    expect(tierEvidence(tierOf(state, 1, 0.95), 'exceeded')).toBeCloseTo(mean, 10);
  });

  test('markets whose bars come an hour late are of the same origin; what is told again or later counts no second time', () => {
    const count: OriginCount = {
      asOf: START,
      horizonHours: 4,
      confidence: 0.99,
      observations: 6,
      exceedances: 1,
    };
    const once = withOrigins(newAlarms('m'), [{ ...count, observations: 10 }], START + 9 * HOUR, 0);
    let state = withOrigins(newAlarms('m'), [count], START + 4 * HOUR, 0);
    expect(state.open).toEqual([count]);
    state = withOrigins(state, [{ ...count, observations: 4, exceedances: 0 }], START + 5 * HOUR, 0);
    expect(state).toEqual(once);
    expect(withOrigins(state, [count], START + 6 * HOUR, 0).tiers).toEqual(once.tiers);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });
});
