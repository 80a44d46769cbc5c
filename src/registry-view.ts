import type { ModelRegistry } from '../models/registry.ts';
import type { WatchEntry } from './control/ports.ts';
import type { ModelSummary } from './control/reads.ts';
import { shadowSummaryOf } from './control/shadow-watch.ts';
import { FilteredPredictor } from './forecast/classical.ts';

/**
 * The registry as the service and the commands show it.
 *
 * @param shadow what the state store keeps of shadow scoring.
 */
export async function modelSummaries(
  registry: ModelRegistry,
  shadow: readonly WatchEntry[],
): Promise<readonly ModelSummary[]> {
  const models = await registry.list();
  const champion = shadowedBy(models.find(({ aliases }) => aliases.includes('champion'))?.manifest ?? null);
  return models.map(({ manifest, aliases, shipped }) => ({
    name: manifest.name,
    version: manifest.version,
    aliases,
    createdAt: manifest.createdAt,
    dataFrom: manifest.data.from,
    dataTo: manifest.data.to,
    markets: manifest.data.markets.length,
    simulated: manifest.data.simulated,
    shipped,
    gates: manifest.gates === undefined ? 'none' : manifest.gates.passed ? 'passed' : 'failed',
    shadow: shadowSummaryOf(shadow, champion, predictorId(manifest)),
  }));
}

/** Names a version as its forecasts do. */
export function predictorId({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${name}@${version}`;
}

/** Whom a challenger is compared with: without a champion the classical predictor that decides then. */
export function shadowedBy(champion: { readonly name: string; readonly version: string } | null): string {
  return champion === null ? new FilteredPredictor().id : predictorId(champion);
}
