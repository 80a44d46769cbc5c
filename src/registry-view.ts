import type { ModelManifest } from '../models/manifest.ts';
import type { ModelRegistry, RegisteredModel } from '../models/registry.ts';
import type { WatchEntry } from './control/ports.ts';
import type { ModelDetail, ModelSummary } from './control/reads.ts';
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
  return models.map((model) => summaryOf(model, models, shadow));
}

/**
 * All that the manifest of a version tells people.
 *
 * @param shadow what the state store keeps of shadow scoring.
 * @throws PlimsollError VERSION_UNKNOWN, MODEL_DAMAGED.
 */
export async function modelDetail(
  registry: ModelRegistry,
  version: string,
  shadow: readonly WatchEntry[],
): Promise<ModelDetail> {
  const manifest = await registry.manifest(version);
  const models = await registry.list();
  const model = models.find((one) => one.manifest.version === version) ?? unlisted(manifest);
  const { evaluation, gates = null, lineage = null, features, data } = manifest;
  const isNetwork = 'training' in manifest;
  return {
    ...summaryOf(model, models, shadow),
    title: isNetwork ? null : manifest.title,
    featureCount: features.names.length,
    evaluation,
    gateRecord: gates,
    lineage,
    split: isNetwork ? manifest.split : null,
    training: isNetwork ? manifest.training : null,
    data: {
      ...{ from: data.from, to: data.to, markets: data.markets, simulated: data.simulated },
      hash: data.hash ?? null,
      ...(isNetwork
        ? {
            leftOut: manifest.data.leftOut ?? [],
            rows: manifest.data.rows,
            everyHours: manifest.data.everyHours,
          }
        : { leftOut: [], rows: null, everyHours: null }),
    },
  };
}

/** It went between two looks into the folder. */
function unlisted(manifest: ModelManifest): RegisteredModel {
  return { manifest, aliases: [], shipped: false };
}

function summaryOf(
  { manifest, aliases, shipped }: RegisteredModel,
  models: readonly RegisteredModel[],
  shadow: readonly WatchEntry[],
): ModelSummary {
  const champion = models.find((model) => model.aliases.includes('champion'))?.manifest ?? null;
  return {
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
    shadow: shadowSummaryOf(shadow, shadowedBy(champion), predictorId(manifest)),
  };
}

/** Names a version as its forecasts do. */
export function predictorId({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${name}@${version}`;
}

/** Whom a challenger is compared with: without a champion the classical predictor that decides then. */
export function shadowedBy(champion: { readonly name: string; readonly version: string } | null): string {
  return champion === null ? new FilteredPredictor().id : predictorId(champion);
}
