import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomMarket } from '../../test/random-market.ts';
import { latestFeatures } from '../features/batch.ts';
import { FEATURE_COUNT, HAR_FEATURES } from '../features/spec.ts';
import { Random } from '../random.ts';
import { LoadedNetwork } from './network.ts';
import { decodePath, OUTPUT_COUNT, OUTPUTS_PER_PATH, softplus, softplusInverse } from './network-output.ts';
import { forecastRows, NetworkPredictor } from './network-predictor.ts';
import {
  CELLS_PER_MARKET,
  CONFIDENCE_COUNT,
  cellIndex,
  HORIZON_COUNT,
  PATHS_PER_MARKET,
} from './predictor.ts';
import { FEATURE_BOUND, type NetworkWeights, networkInputs, type ShockModel } from './shock-model.ts';

function randomWeights(seed: number, sizes: readonly number[], size = 0.3): NetworkWeights {
  const random = Random.stream(seed, 'weights');
  const draw = (length: number): Float32Array => Float32Array.from({ length }, () => size * random.normal());
  return {
    layers: sizes.slice(1).map((outputs, i) => ({
      inputs: sizes[i],
      outputs,
      kernel: draw(sizes[i] * outputs),
      bias: draw(outputs),
    })),
  };
}

function randomModel(seed: number, size = 0.3): ShockModel {
  const random = Random.stream(seed, 'model');
  return {
    featureMean: new Float64Array(FEATURE_COUNT),
    featureDeviation: new Float64Array(FEATURE_COUNT).fill(1),
    harCoefficients: Array.from({ length: HORIZON_COUNT }, (_, h) =>
      Float64Array.from({ length: HAR_FEATURES.length + 1 }, (_, k) =>
        k === 0 ? -4 + 0.5 * h : 0.05 * random.normal(),
      ),
    ),
    calibration: Float64Array.from({ length: CELLS_PER_MARKET }, () => 0.8 + 0.5 * random.uniform()),
    members: [randomWeights(seed, [FEATURE_COUNT, 16, 8, OUTPUT_COUNT], size)],
  };
}

/** The network in float64, layer by layer, as the formula says. */
function slowForward({ layers }: NetworkWeights, inputs: Float32Array): Float64Array {
  let signal = Float64Array.from(inputs);
  for (const [i, { inputs: width, outputs, kernel, bias }] of layers.entries()) {
    const next = Float64Array.from(bias);
    for (let o = 0; o < outputs; o++) {
      for (let k = 0; k < width; k++) next[o] += signal[k] * kernel[k * outputs + o];
      if (i < layers.length - 1) next[o] = Math.max(next[o], 0);
    }
    signal = next;
  }
  return signal;
}

describe('the network on TF.js', () => {
  test('scores like the same network in float64: what float32 loses stays below one part in 100,000', async () => {
    const weights = randomWeights(3, [FEATURE_COUNT, 64, 32, OUTPUT_COUNT]);
    const network = await LoadedNetwork.load(weights);
    const random = Random.stream(4, 'inputs');
    const rows = 50;
    const inputs = Float32Array.from({ length: rows * FEATURE_COUNT }, () => random.normal());
    const scores = network.score(inputs, rows);
    for (let row = 0; row < rows; row++) {
      const slow = slowForward(weights, inputs.subarray(row * FEATURE_COUNT, (row + 1) * FEATURE_COUNT));
      for (let o = 0; o < OUTPUT_COUNT; o++) {
        const error = Math.abs(scores[row * OUTPUT_COUNT + o] - slow[o]);
        expect(error).toBeLessThan(1e-5 * (1 + Math.abs(slow[o])));
      }
    }
    network.dispose();
  });
});

describe('what leaves the network', () => {
  test('quantiles never cross and ES is never below VaR, whatever the network says', () => {
    const output = fc.oneof(fc.double({ min: -50, max: 50, noNaN: true }), fc.constantFrom(-1e4, 1e4, 0));
    fc.assert(
      fc.property(fc.array(output, { minLength: OUTPUTS_PER_PATH, maxLength: OUTPUTS_PER_PATH }), (raw) => {
        const bounded = raw.map((value) => Math.min(value, 50));
        const { valueAtRisk, expectedShortfall, shockProbability } = decodePath(bounded, 0);
        for (let c = 0; c < CONFIDENCE_COUNT; c++) {
          expect(Number.isFinite(expectedShortfall[c])).toBe(true);
          expect(valueAtRisk[c]).toBeGreaterThan(0);
          expect(expectedShortfall[c]).toBeGreaterThanOrEqual(valueAtRisk[c]);
          if (c > 0) expect(valueAtRisk[c]).toBeGreaterThanOrEqual(valueAtRisk[c - 1]);
          if (c > 0) expect(expectedShortfall[c]).toBeGreaterThanOrEqual(expectedShortfall[c - 1]);
        }
        expect(shockProbability).toBeGreaterThanOrEqual(0);
        expect(shockProbability).toBeLessThanOrEqual(1);
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  test('softplus and its inverse undo each other, far out as well', () => {
    for (const x of [-30, -5, -0.1, 0, 0.1, 5, 29, 40, 700])
      expect(softplusInverse(softplus(x))).toBeCloseTo(x, 3);
  });

  test('a forecast keeps every order after averaging and calibration, and nobody loses more than the price', async () => {
    for (const size of [0.1, 1, 5]) {
      const model = randomModel(5, size);
      const networks = await Promise.all(model.members.map((member) => LoadedNetwork.load(member)));
      const random = Random.stream(6, 'features');
      const rows = 40;
      const features = Float64Array.from({ length: rows * FEATURE_COUNT }, () => 3 * random.normal());
      const out = {
        valueAtRisk: new Float64Array(rows * CELLS_PER_MARKET),
        expectedShortfall: new Float64Array(rows * CELLS_PER_MARKET),
        shockProbability: new Float64Array(rows * PATHS_PER_MARKET),
      };
      forecastRows(model, networks, features, rows, out);
      for (let row = 0; row < rows; row++) {
        for (let side = 0; side < 2; side++) {
          for (let h = 0; h < HORIZON_COUNT; h++) {
            for (let c = 0; c < CONFIDENCE_COUNT; c++) {
              const at = cellIndex(row, side, h, c);
              expect(out.valueAtRisk[at]).toBeGreaterThan(0);
              expect(out.expectedShortfall[at]).toBeGreaterThanOrEqual(out.valueAtRisk[at]);
              expect(out.expectedShortfall[at]).toBeLessThanOrEqual(side === 0 ? 1 : 10);
              if (c > 0) expect(out.valueAtRisk[at]).toBeGreaterThanOrEqual(out.valueAtRisk[at - 1]);
              if (h > 0)
                expect(out.valueAtRisk[at]).toBeGreaterThanOrEqual(
                  out.valueAtRisk[cellIndex(row, side, h - 1, c)],
                );
            }
          }
        }
      }
      for (const network of networks) network.dispose();
    }
  });

  test('a feature far beyond all training data counts as one at the bound', () => {
    const features = new Float64Array(FEATURE_COUNT).fill(1e9);
    const inputs = networkInputs(
      features,
      1,
      new Float64Array(FEATURE_COUNT),
      new Float64Array(FEATURE_COUNT).fill(1),
    );
    expect(inputs.every((value) => value === FEATURE_BOUND)).toBe(true);
  });
});

describe('the network predictor', () => {
  test('a market without a week of history is unavailable by reason and leaves the others as they were', async () => {
    const model = randomModel(9);
    const networks = await Promise.all(model.members.map((member) => LoadedNetwork.load(member)));
    const predictor = new NetworkPredictor('test@1', model, networks);
    const old = randomMarket({ seed: 1, hours: 1000 });
    const young = randomMarket({ seed: 2, hours: 40, start: old.bars.openTime[960] });
    const asOf = old.bars.openTime[999] + 3_600_000;
    const predictAll = async (markets: (typeof old)[]) => {
      const { values, ready } = latestFeatures(markets, asOf);
      return predictor.predict({ asOf, markets, features: values, featuresReady: ready });
    };
    const both = await predictAll([old, young]);
    expect(both.unavailable[0]).toBe('');
    expect(both.unavailable[1]).toContain('history');
    expect(both.valueAtRisk.slice(0, CELLS_PER_MARKET).every((value) => value > 0)).toBe(true);
    expect(both.valueAtRisk.slice(CELLS_PER_MARKET).every((value) => value === 0)).toBe(true);
  });
});
