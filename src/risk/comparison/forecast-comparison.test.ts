import { describe, expect, test } from 'vitest';
import { automaticLags } from '../numeric/long-run-variance.ts';
import { parkMiller } from '../park-miller.fixture.ts';
import { dieboldMariano } from './diebold-mariano.ts';
import { shortfallDominance, valueAtRiskDominance } from './dominance.ts';
import { compareForecasts, type NamedForecasts } from './forecast-comparison.ts';
import { giacominiWhite } from './giacomini-white.ts';
import { modelConfidenceSet } from './model-confidence-set.ts';
import { probabilityReport } from './probability-report.ts';
import { brier, fz0, pinball } from './scores.ts';

const N = 400;
const { uniform, normal } = parkMiller(31);
const scale = Float64Array.from({ length: N }, (_, t) => 0.01 * (1 + 0.8 * Math.sin(t / 30)));
const losses = scale.map((value) => value * normal());
const forecaster = (name: string, valueAtRisk: Float64Array): NamedForecasts => ({
  name,
  valueAtRisk,
  expectedShortfall: valueAtRisk.map((value) => 1.25 * value),
});
const good = forecaster(
  'good',
  scale.map((value) => 1.65 * value),
);
const flat = forecaster('flat', new Float64Array(N).fill(0.0165));
const timid = forecaster(
  'timid',
  scale.map((value) => 6 * value),
);

describe('forecasters of the same losses', () => {
  test.each([1, 24])('over %i rows have the tests of their scores, with lags for the overlap', (horizon) => {
    const { pairs } = compareForecasts(losses, [good, flat, timid], 0.95, horizon);
    expect(pairs.map(({ other }) => other)).toEqual(['flat', 'timid']);
    const lags = Math.max(horizon - 1, automaticLags(N));
    for (const [i, other] of [flat, timid].entries()) {
      const pinballs = [good, other].map(({ valueAtRisk }) =>
        losses.map((loss, t) => pinball(loss, valueAtRisk[t], 0.95)),
      );
      const joint = [good, other].map(({ valueAtRisk, expectedShortfall }) =>
        losses.map((loss, t) => fz0(loss, valueAtRisk[t], expectedShortfall[t], 0.95)),
      );
      const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / N;
      expect(pairs[i].pinball).toEqual({
        mean: expect.closeTo(mean(pinballs[0]), 14),
        meanOther: expect.closeTo(mean(pinballs[1]), 14),
        dieboldMariano: dieboldMariano(pinballs[0], pinballs[1], {
          horizonSteps: horizon,
          bartlettLags: lags,
        }),
        giacominiWhite: giacominiWhite(pinballs[0], pinballs[1], { horizonSteps: horizon, lags }),
      });
      expect(pairs[i].fz0.dieboldMariano).toEqual(
        dieboldMariano(joint[0], joint[1], { horizonSteps: horizon, bartlettLags: lags }),
      );
      expect(pairs[i].dominance.valueAtRisk).toEqual(
        valueAtRiskDominance(losses, good.valueAtRisk, other.valueAtRisk, 0.95),
      );
      const tailOf = ({ valueAtRisk, expectedShortfall }: NamedForecasts) => ({
        valuesAtRisk: valueAtRisk,
        expectedShortfalls: expectedShortfall,
      });
      expect(pairs[i].dominance.expectedShortfall).toEqual(
        shortfallDominance(losses, tailOf(good), tailOf(other), 0.95),
      );
    }
  });

  test('have a confidence set by name, of blocks as long as the overlap', () => {
    for (const horizon of [1, 50]) {
      const { confidenceSet } = compareForecasts(losses, [good, flat, timid], 0.95, horizon);
      const scores = [good, flat, timid].map(({ valueAtRisk }) =>
        losses.map((loss, t) => pinball(loss, valueAtRisk[t], 0.95)),
      );
      const set = modelConfidenceSet(scores, { blockLength: Math.max(Math.ceil(Math.cbrt(N)), horizon) });
      if (!set.available || !confidenceSet.pinball.available) throw new Error('no set');
      expect(confidenceSet.pinball.members).toEqual(set.members.map((i) => ['good', 'flat', 'timid'][i]));
      expect(confidenceSet.pinball.pValues).toEqual({
        good: set.pValues[0],
        flat: set.pValues[1],
        timid: set.pValues[2],
      });
      expect(confidenceSet.pinball.members).not.toContain('timid');
    }
  });

  test('must be as many as the losses, at a confidence and a horizon that are some', () => {
    const code = (act: () => unknown): void =>
      expect(act).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
    code(() => compareForecasts(losses.slice(1), [good, flat], 0.95, 1));
    code(() => compareForecasts(losses, [good, flat], 1, 1));
    code(() => compareForecasts(losses, [good, flat], 0.95, 0));
    const twins = compareForecasts(losses, [good, { ...good, name: 'twin' }], 0.95, 1);
    expect(twins.pairs[0].pinball.dieboldMariano).toMatchObject({ available: false });
    expect(twins.confidenceSet.fz0).toMatchObject({ available: true, members: ['good', 'twin'] });
    expect(twins.pairs[0].dominance.valueAtRisk.verdict).toBe('equal');
  });
});

describe('the report of a probability', () => {
  const probabilities = Float64Array.from({ length: N }, () => 0.5 * uniform());
  const outcomes = Uint8Array.from(probabilities, (p) => (uniform() < p ? 1 : 0));

  test('measures skill against the share of events that was known at each time', () => {
    const report = probabilityReport(probabilities, outcomes);
    const events = outcomes.reduce((sum, came) => sum + came, 0);
    expect(report).toMatchObject({
      n: N,
      events,
      baseRate: events / N,
      brier: brier(probabilities, outcomes),
    });
    let came = 0;
    let climate = 0;
    outcomes.forEach((outcome, t) => {
      climate += ((came + 1) / (t + 2) - outcome) ** 2 / N;
      came += outcome;
    });
    expect(report.brierSkill).toMatchObject({
      available: true,
      value: expect.closeTo(1 - report.brier / climate, 12),
    });
    const { reliability, resolution, uncertainty, withinBinVariance, withinBinCovariance } =
      report.decomposition;
    expect(reliability - resolution + uncertainty + withinBinVariance - withinBinCovariance).toBeCloseTo(
      report.brier,
      14,
    );
    expect(report.reliability.length).toBe(10);
    expect(report.decomposition.bins).toBe(10);
  });

  test('refuses what are no probabilities', () => {
    expect(() => probabilityReport(Float64Array.of(0.5, 1.5), Uint8Array.of(1, 0))).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });
});
