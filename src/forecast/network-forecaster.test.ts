import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomMarket } from '../../test/random-market.ts';
import { latestFeatures } from '../features/live.ts';
import { FEATURE_COUNT, featureIndex, HAR_FEATURES } from '../features/spec.ts';
import { Random } from '../random.ts';
import { forecastFault } from './forecast-check.ts';
import { LoadedNetwork } from './network.ts';
import { NetworkForecaster } from './network-forecaster.ts';
import {
  FEATURE_BOUND,
  FEATURES_OF_LEVEL,
  harLevelSlopes,
  LEVEL_COUNT,
  NETWORK_INPUT_COUNT,
  networkInputs,
} from './network-inputs.ts';
import {
  decodePath,
  HORIZON_OF_LEVELLED,
  LEVEL_OF_CONFIDENCE,
  LEVELLED_OUTPUTS,
  LEVELS_PER_PATH,
  LOG_QUANTILE_BOUND,
  OUTPUT_COUNT,
  OUTPUTS_PER_PATH,
  softplus,
  softplusInverse,
  VOLATILITY_OUTPUT,
} from './network-output.ts';
import { CELLS_PER_MARKET, CONFIDENCE_COUNT, cellIndex, HORIZON_COUNT } from './predictor.ts';
import { emptyArrays } from './row-forecaster.ts';
import { RowPredictor } from './row-predictor.ts';
import type { NetworkWeights, ShockModel } from './shock-model.ts';

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
    levelSlopes: draw(LEVEL_COUNT * LEVELLED_OUTPUTS.length),
  };
}

function randomModel(seed: number, size = 0.3): ShockModel {
  const random = Random.stream(seed, 'model');
  const harCoefficients = Array.from({ length: HORIZON_COUNT }, (_, h) =>
    Float64Array.from({ length: HAR_FEATURES.length + 1 }, (_, k) =>
      k === 0 ? -4 + 0.5 * h : 0.05 * random.normal(),
    ),
  );
  const member = randomWeights(seed, [NETWORK_INPUT_COUNT, 16, 8, OUTPUT_COUNT], size);
  // As the fit leaves them: together with the slope of the log-HAR-X never negative.
  for (const [i, slope] of member.levelSlopes.entries()) {
    const level = Math.floor(i / LEVELLED_OUTPUTS.length);
    const horizon = HORIZON_OF_LEVELLED[i % LEVELLED_OUTPUTS.length];
    member.levelSlopes[i] = Math.max(slope, -harLevelSlopes(harCoefficients[horizon])[level]);
  }
  return {
    featureMean: new Float64Array(FEATURE_COUNT),
    featureDeviation: new Float64Array(FEATURE_COUNT).fill(1),
    harCoefficients,
    varianceFactors: Float64Array.from({ length: HORIZON_COUNT }, () => 1 + 0.5 * random.uniform()),
    members: [member],
  };
}

/** The network in float64, layer by layer, as the formula says. */
function slowForward(
  { layers, levelSlopes }: NetworkWeights,
  inputs: Float32Array,
  levels: Float32Array,
): Float64Array {
  let signal = Float64Array.from(inputs);
  for (const [i, { inputs: width, outputs, kernel, bias }] of layers.entries()) {
    const next = Float64Array.from(bias);
    for (let o = 0; o < outputs; o++) {
      for (let k = 0; k < width; k++) next[o] += signal[k] * kernel[k * outputs + o];
      if (i < layers.length - 1) next[o] = Math.max(next[o], 0);
    }
    signal = next;
  }
  for (const [i, output] of LEVELLED_OUTPUTS.entries()) {
    if (output < VOLATILITY_OUTPUT)
      signal[output] = Math.min(Math.max(signal[output], -LOG_QUANTILE_BOUND), LOG_QUANTILE_BOUND);
    for (let level = 0; level < LEVEL_COUNT; level++)
      signal[output] += levels[level] * levelSlopes[level * LEVELLED_OUTPUTS.length + i];
  }
  return signal;
}

describe('the network on TF.js', () => {
  test('scores like the same network in float64: what float32 loses stays below one part in 100,000', async () => {
    const weights = randomWeights(3, [NETWORK_INPUT_COUNT, 64, 32, OUTPUT_COUNT]);
    const network = await LoadedNetwork.load(weights);
    const random = Random.stream(4, 'inputs');
    const rows = 50;
    const draw = (columns: number): Float32Array =>
      Float32Array.from({ length: rows * columns }, () => random.normal());
    const [inputs, levels] = [draw(NETWORK_INPUT_COUNT), draw(LEVEL_COUNT)];
    const scores = network.score(inputs, levels, rows);
    for (let row = 0; row < rows; row++) {
      const slow = slowForward(
        weights,
        inputs.subarray(row * NETWORK_INPUT_COUNT, (row + 1) * NETWORK_INPUT_COUNT),
        levels.subarray(row * LEVEL_COUNT, (row + 1) * LEVEL_COUNT),
      );
      for (let o = 0; o < OUTPUT_COUNT; o++) {
        const error = Math.abs(scores[row * OUTPUT_COUNT + o] - slow[o]);
        expect(error).toBeLessThan(1e-5 * (1 + Math.abs(slow[o])));
      }
    }
    network.dispose();
  });
});

/** What rounding to float32 may move an exponential of a sum of large terms, relative. */
const FLOAT32_NOISE = 1e-4;

describe('what leaves the network', () => {
  test('quantiles never cross and ES is never below VaR, whatever the network says', () => {
    const output = fc.oneof(fc.double({ min: -50, max: 50, noNaN: true }), fc.constantFrom(-1e4, 1e4, 0));
    fc.assert(
      fc.property(fc.array(output, { minLength: OUTPUTS_PER_PATH, maxLength: OUTPUTS_PER_PATH }), (raw) => {
        // Steps as large in a row would overflow; the first is bounded as addLevels leaves it.
        const bounded = raw.map((value) => Math.min(value, 50));
        bounded[0] = Math.max(Math.min(bounded[0], LOG_QUANTILE_BOUND), -LOG_QUANTILE_BOUND);
        const quantiles = new Float64Array(LEVELS_PER_PATH);
        const shortfalls = new Float64Array(CONFIDENCE_COUNT);
        decodePath(bounded, 0, quantiles, 0, shortfalls);
        for (let l = 0; l < LEVELS_PER_PATH; l++)
          expect(quantiles[l]).toBeGreaterThanOrEqual(l === 0 ? Number.MIN_VALUE : quantiles[l - 1]);
        for (let c = 0; c < CONFIDENCE_COUNT; c++) {
          expect(Number.isFinite(shortfalls[c])).toBe(true);
          expect(shortfalls[c]).toBeGreaterThanOrEqual(quantiles[LEVEL_OF_CONFIDENCE[c]]);
          if (c > 0) expect(shortfalls[c]).toBeGreaterThanOrEqual(shortfalls[c - 1]);
        }
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  test('softplus and its inverse undo each other, far out as well', () => {
    for (const x of [-30, -5, -0.1, 0, 0.1, 5, 29, 40, 700])
      expect(softplusInverse(softplus(x))).toBeCloseTo(x, 3);
  });

  test('a forecast keeps every order after averaging, and nobody loses more than the price', async () => {
    for (const size of [0.1, 1, 5]) {
      const model = randomModel(5, size);
      const forecaster = await NetworkForecaster.load(model);
      const random = Random.stream(6, 'features');
      const rows = 40;
      const features = Float64Array.from({ length: rows * FEATURE_COUNT }, () => 3 * random.normal());
      const out = emptyArrays(rows);
      await forecaster.forecast(features, rows, out);
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
      forecaster.dispose();
    }
  });

  test('more volatility, of the market alone or of all markets, lowers no quantile, no shortfall and no variance', async () => {
    // Volatility features rise together by as much, as they do when every return is as many times as large.
    for (const size of [0.1, 0.5]) {
      const model = randomModel(7, size);
      const forecaster = await NetworkForecaster.load(model);
      const random = Random.stream(8, 'features');
      const rows = 60;
      const calm = Float64Array.from({ length: rows * FEATURE_COUNT }, () => random.normal());
      for (const features of FEATURES_OF_LEVEL) {
        expect(features.length).toBeGreaterThan(4);
        let before = emptyArrays(rows);
        await forecaster.forecast(calm, rows, before);
        for (const rise of [0.01, 0.1, 1, 3]) {
          const risen = calm.map((value, i) => (features.includes(i % FEATURE_COUNT) ? value + rise : value));
          const after = emptyArrays(rows);
          await forecaster.forecast(risen, rows, after);
          for (const name of ['valueAtRisk', 'expectedShortfall', 'quantiles', 'variance'] as const) {
            const fallen = after[name].findIndex((value, i) => value < before[name][i] * (1 - FLOAT32_NOISE));
            expect(fallen, `${name} after a rise by ${rise}`).toBe(-1);
          }
          before = after;
        }
      }
      forecaster.dispose();
    }
  });

  test('a feature far beyond all training data counts as one at the bound', () => {
    const features = Float64Array.from({ length: FEATURE_COUNT }, (_, f) => 1e9 * (f + 1));
    const flat = new Float64Array(FEATURE_COUNT);
    const inputs = networkInputs(features, 1, flat, new Float64Array(FEATURE_COUNT).fill(1));
    expect(inputs.subarray(0, FEATURE_COUNT).every((value) => Math.abs(value) <= FEATURE_BOUND)).toBe(true);
    expect(
      inputs.subarray(0, FEATURE_COUNT).filter((value) => value === FEATURE_BOUND).length,
    ).toBeGreaterThan(30);
  });

  test('the overtones are sines and cosines of multiples of the hour', () => {
    const flat = new Float64Array(FEATURE_COUNT);
    for (const hour of [0, 1, 7, 13, 23]) {
      const angle = (2 * Math.PI * hour) / 24;
      const features = new Float64Array(FEATURE_COUNT);
      features[featureIndex('hourSine')] = Math.sin(angle);
      features[featureIndex('hourCosine')] = Math.cos(angle);
      const inputs = networkInputs(features, 1, flat, new Float64Array(FEATURE_COUNT).fill(1));
      const expected = [2, 3, 4, 6].flatMap((k) => [Math.sin(k * angle), Math.cos(k * angle)]);
      for (const [i, value] of expected.entries())
        expect(inputs[FEATURE_COUNT + i]).toBeCloseTo(Math.SQRT2 * value, 6);
    }
  });
});

describe('the network behind the predictor port', () => {
  test('a market of eight days, which no model was trained on, is forecast from what all markets taught', async () => {
    const old = randomMarket({ seed: 1, hours: 3000 });
    const young = randomMarket({ seed: 2, hours: 192, start: old.bars.openTime[2808] });
    const predictor = new RowPredictor('test@1', await NetworkForecaster.load(randomModel(9)));
    const asOf = old.bars.openTime[2999] + 3_600_000;
    const { values, ready } = latestFeatures([old, young], asOf);
    const batch = await predictor.predict({
      asOf,
      markets: [old, young],
      features: values,
      featuresReady: ready,
    });
    expect(batch.unavailable).toEqual(['', '']);
    expect(forecastFault(batch, [old, young])).toBeNull();
    expect(batch.valueAtRisk.every((value) => value > 0)).toBe(true);
  });

  test('a market without a week of history is unavailable by reason and leaves the others as they were', async () => {
    const model = randomModel(9);
    const forecaster = await NetworkForecaster.load(model);
    const predictor = new RowPredictor('test@1', forecaster);
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
