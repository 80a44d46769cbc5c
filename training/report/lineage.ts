import type { NetworkManifest } from '../../models/manifest.ts';
import { isoTime } from '../../src/clock.ts';
import { HORIZONS_HOURS } from '../../src/forecast/predictor.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';

/** Where a version comes from, as a report lists it. */
export function lineageOf(manifest: NetworkManifest): readonly (readonly [name: string, value: string])[] {
  const { data, features, split, training, weights, createdAt } = manifest;
  return [
    ['trained', createdAt],
    ['data', `${data.simulated ? 'simulated markets' : 'market history'}, ${data.from} to ${data.to}`],
    ['markets', `${data.markets.length}: ${data.markets.join(', ')}`],
    ...((data.leftOut ?? []).length === 0
      ? []
      : [['left out, for too little history', (data.leftOut ?? []).join(', ')] as const]),
    ['rows', `${data.rows}, every ${data.everyHours} hours`],
    ['data fingerprint', data.hash],
    ['features', `${features.names.length}, specification ${features.specHash}`],
    ['fit', `until ${split.trainUntil}; validation ${split.validationFrom} to ${split.validationUntil}`],
    ['seeds', training.members.map(({ seed }) => seed).join(', ')],
    ['backend', training.backend],
    ['weights', weights.sha256],
  ];
}

/** The command that makes the version again from the same stored bars, later ones beside them or not. */
export function reproducingCommand({ data, training }: NetworkManifest): string {
  // The outcomes of the last row end a longest horizon after it.
  const longest = HORIZONS_HOURS[HORIZONS_HOURS.length - 1];
  const to = isoTime(Date.parse(data.to) + longest * HOUR_MILLISECONDS);
  return [
    'plimsoll train',
    `--markets ${data.markets.join(',')}`,
    `--to ${to}`,
    `--every-hours ${data.everyHours}`,
    `--epochs ${training.maximumEpochs}`,
    `--seeds ${training.members.map(({ seed }) => seed).join(',')}`,
  ].join(' ');
}
