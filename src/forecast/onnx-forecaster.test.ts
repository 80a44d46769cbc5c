import { describe, expect, test } from 'vitest';
import { formulaOfOnnxFile, type OnnxFileOptions, onnxFile } from '../../test/onnx-file.ts';
import { randomMarket } from '../../test/random-market.ts';
import { latestFeatures } from '../features/live.ts';
import { FEATURE_COUNT, featureIndex } from '../features/spec.ts';
import { Random } from '../random.ts';
import { forecastFault } from './forecast-check.ts';
import { LEVEL_OF_CONFIDENCE, LEVELS_PER_PATH } from './network-output.ts';
import { OnnxForecaster } from './onnx-forecaster.ts';
import { CONFIDENCE_COUNT, cellIndex, HORIZON_COUNT, PATHS_PER_MARKET, pathIndex } from './predictor.ts';
import { emptyArrays } from './row-forecaster.ts';
import { RowPredictor } from './row-predictor.ts';

const ROWS = 40;
const random = Random.stream(3, 'onnx');
const features = Float64Array.from({ length: ROWS * FEATURE_COUNT }, () => random.normal());

async function forecast(options: OnnxFileOptions, rows = features) {
  const forecaster = await OnnxForecaster.load(onnxFile(options));
  const out = emptyArrays(ROWS);
  await forecaster.forecast(rows, ROWS, out);
  forecaster.dispose();
  return out;
}

describe('an ONNX file as a forecaster', () => {
  test('answers what its formula says, by side, horizon and level, and the same twice', async () => {
    const out = await forecast({});
    for (let row = 0; row < ROWS; row++) {
      for (let path = 0; path < PATHS_PER_MARKET; path++) {
        const at = row * PATHS_PER_MARKET + path;
        for (let l = 0; l < LEVELS_PER_PATH; l++) {
          const expected = formulaOfOnnxFile(features, row, path % HORIZON_COUNT, l);
          expect(out.quantiles[at * LEVELS_PER_PATH + l] / expected).toBeCloseTo(1, 4);
        }
        for (let c = 0; c < CONFIDENCE_COUNT; c++) {
          const value = out.quantiles[at * LEVELS_PER_PATH + LEVEL_OF_CONFIDENCE[c]];
          expect(out.valueAtRisk[at * CONFIDENCE_COUNT + c]).toBe(value);
          const shortfall = Math.min(1.3 * value, path < HORIZON_COUNT ? 1 : 10);
          expect(out.expectedShortfall[at * CONFIDENCE_COUNT + c] / shortfall).toBeCloseTo(1, 4);
        }
      }
    }
    expect(out.variance.every(Number.isNaN)).toBe(true);
    expect(await forecast({})).toEqual(out);
  });

  test('an ES below VaR is raised to it, and nobody loses more than the price', async () => {
    const { valueAtRisk, expectedShortfall } = await forecast({ shortfallRatio: 0.5 });
    expect(expectedShortfall).toEqual(valueAtRisk);
    const huge = await forecast({ factor: 1000 });
    const last = cellIndex(0, 0, HORIZON_COUNT - 1, CONFIDENCE_COUNT - 1);
    expect([huge.valueAtRisk[last], huge.expectedShortfall[last]]).toEqual([1, 1]);
  });

  test('a row without a finite answer has none, and the others keep theirs', async () => {
    const broken = features.slice();
    broken[5 * FEATURE_COUNT + featureIndex('logRealisedVolatility24h')] = Number.NaN;
    broken[6 * FEATURE_COUNT + featureIndex('logRealisedVolatility24h')] = 1e6;
    const [whole, out] = [await forecast({}), await forecast({}, broken)];
    for (const row of [5, 6]) {
      expect(out.valueAtRisk[cellIndex(row, 0, 0, 0)]).toBeNaN();
      expect(out.quantiles[pathIndex(row, 1, 3) * LEVELS_PER_PATH]).toBeNaN();
    }
    expect(out.valueAtRisk.subarray(cellIndex(7, 0, 0, 0))).toEqual(
      whole.valueAtRisk.subarray(cellIndex(7, 0, 0, 0)),
    );
  });

  test('behind the predictor port it forecasts whole markets with a shock probability, and those it has no answer for by reason', async () => {
    const markets = [1, 2].map((seed) => randomMarket({ seed, hours: 1000 }));
    const asOf = markets[0].bars.openTime[999] + 3_600_000;
    const { values, ready } = latestFeatures(markets, asOf);
    const input = { asOf, markets, features: values, featuresReady: ready };
    const sound = new RowPredictor('onnx@1', await OnnxForecaster.load(onnxFile()));
    const batch = await sound.predict(input);
    expect(forecastFault(batch, markets)).toBeNull();
    expect(batch.unavailable).toEqual(['', '']);
    expect(batch.shockProbability.every((p) => p > 0 && p < 1)).toBe(true);
    const mute = new RowPredictor('onnx@2', await OnnxForecaster.load(onnxFile({ factor: Number.NaN })));
    const silent = await mute.predict(input);
    expect(forecastFault(silent, markets)).toBeNull();
    expect(silent.unavailable).toEqual(new Array(2).fill(expect.stringContaining('no finite forecast')));
  });

  test.each<[string, Buffer, RegExp]>([
    ['rubbish', Buffer.from('rubbish'), /cannot be loaded/],
    ['an empty file', Buffer.alloc(0), /cannot be loaded|inputs are/],
    ['a file that was cut', onnxFile().subarray(0, 2000), /cannot be loaded/],
    ['another input', onnxFile({ input: 'x' }), /inputs are x, not features/],
    ['too few features', onnxFile({ columns: 40 }), /has the shape \[N, 40\]/],
    ['a fixed number of rows', onnxFile({ rows: 1 }), /takes 1 rows/],
    ['no quantiles', onnxFile({ quantilesName: 'q' }), /no output quantiles/],
  ])('%s is refused by name', async (_, file, message) => {
    await expect(OnnxForecaster.load(file)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(message),
      remedy: expect.stringContaining('features float32 [N, 56]'),
    });
  });

  test('too few quantiles are refused when it is run', async () => {
    await expect(forecast({ levels: 4 })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('quantiles has 1280 numbers where 2560 are needed'),
    });
  });
});
