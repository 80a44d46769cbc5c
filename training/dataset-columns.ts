import type { TableColumn } from '../data/ports.ts';
import { FEATURE_COUNT, FEATURE_NAMES, featureSpecHash } from '../src/features/spec.ts';
import { HORIZON_COUNT, HORIZONS_HOURS, PATHS_PER_MARKET, SIDES } from '../src/forecast/predictor.ts';
import type { Dataset } from './dataset.ts';
import { sliceAt, splitTime, TEST_SHARE, type TimeSplit, VALIDATION_SHARE } from './splits.ts';

/**
 * The training set as a table for people who work in another language: a row for each market and origin, in the order
 * in which the training sees them. Numbers are those of the dataset to the bit.
 *
 * `slice` is what the fit that is kept does with the row, `evaluation_slice` what the fit does that is scored on the
 * newest fifth of time.
 */
export function datasetColumns(data: Dataset): readonly TableColumn[] {
  const { asOf, rows, symbols, market, values } = data.features;
  const [start, end] = [asOf[0], asOf[rows - 1]];
  const kept = splitTime(start, end, VALIDATION_SHARE, 0);
  const scored = splitTime(start, end, VALIDATION_SHARE, TEST_SHARE);
  const sliceColumn = (name: string, split: TimeSplit): TableColumn => ({
    name,
    type: 'text',
    at: (row) => sliceAt(split, asOf[row]),
  });
  const features = FEATURE_NAMES.map(
    (name, feature): TableColumn => ({
      name,
      type: 'float64',
      at: (row) => values[row * FEATURE_COUNT + feature],
    }),
  );
  const paths = SIDES.flatMap((side, s) =>
    HORIZONS_HOURS.map((hours, h) => ({ name: `${side}_${hours}h`, path: s * HORIZON_COUNT + h })),
  );
  return [
    { name: 'symbol', type: 'text', at: (row) => symbols[market[row]] },
    { name: 'as_of', type: 'time', at: (row) => asOf[row] },
    sliceColumn('slice', kept),
    sliceColumn('evaluation_slice', scored),
    ...features,
    ...paths.map(
      ({ name, path }): TableColumn => ({
        name: `excursion_${name}`,
        type: 'float32',
        at: (row) => data.excursions[row * PATHS_PER_MARKET + path],
      }),
    ),
    ...paths.map(
      ({ name, path }): TableColumn => ({
        name: `shock_threshold_${name}`,
        type: 'float32',
        at: (row) => known(data.shockThreshold[row * PATHS_PER_MARKET + path]),
      }),
    ),
    ...paths.map(
      ({ name, path }): TableColumn => ({
        name: `shock_${name}`,
        type: 'boolean',
        at: (row) => data.shocks[row * PATHS_PER_MARKET + path],
      }),
    ),
    ...HORIZONS_HOURS.map(
      (hours, h): TableColumn => ({
        name: `log_volatility_${hours}h`,
        type: 'float32',
        at: (row) => data.logVolatility[row * HORIZON_COUNT + h],
      }),
    ),
    ...HORIZONS_HOURS.map(
      (hours, h): TableColumn => ({
        name: `realised_variance_${hours}h`,
        type: 'float32',
        at: (row) => data.realisedVariance[row * HORIZON_COUNT + h],
      }),
    ),
  ];
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** What a reader of the table must know to tell it from another. */
export function datasetMetadata(
  dataFingerprint: string,
  everyHours: number,
): Readonly<Record<string, string>> {
  return {
    feature_spec_hash: featureSpecHash(),
    data_fingerprint: dataFingerprint,
    every_hours: String(everyHours),
  };
}
