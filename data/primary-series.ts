import { HOUR_MILLISECONDS } from '../src/units.ts';
import type { SeriesManifest } from './series-files.ts';

/** A market is a symbol with bars of a perpetual, or of its spot pair where no perpetual is stored. */
export function isMarketSeries({ kind, intervalMilliseconds }: SeriesManifest): boolean {
  return (kind === 'perp' || kind === 'spot') && HOUR_MILLISECONDS % intervalMilliseconds === 0;
}

/**
 * The series that a market's bars come from: a perpetual before spot, hourly bars before finer ones that would have to
 * be put together, Binance before other venues, then the longest.
 */
export function choosePrimary(manifests: readonly SeriesManifest[]): SeriesManifest {
  const rank = (manifest: SeriesManifest): readonly number[] => [
    manifest.kind === 'perp' ? 0 : 1,
    manifest.intervalMilliseconds === HOUR_MILLISECONDS ? 0 : 1,
    manifest.venue === 'binance' ? 0 : 1,
    -(manifest.to - manifest.from),
  ];
  return manifests
    .filter(isMarketSeries)
    .reduce((best, next) => (isBefore(rank(next), rank(best)) ? next : best));
}

function isBefore(a: readonly number[], b: readonly number[]): boolean {
  const differing = a.findIndex((value, i) => value !== b[i]);
  return differing >= 0 && a[differing] < b[differing];
}
