import type { ModelRegistry } from '../models/registry.ts';
import type { ModelSummary } from './control/reads.ts';

/** The registry as the service and the commands show it. */
export async function modelSummaries(registry: ModelRegistry): Promise<readonly ModelSummary[]> {
  const models = await registry.list();
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
  }));
}
