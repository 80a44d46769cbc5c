import { readFileSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import type { ModelManifest } from './manifest.ts';
import { ModelRegistry } from './registry.ts';

/**
 * A process for crash tests: adds one version after another, made from one that is there, promotes each and says so, until it is killed.
 */
const [shipped, dataDir, from, first] = process.argv.slice(2);
flushCompileCache();
const registry = new ModelRegistry(shipped, dataDir);
const manifest = await registry.manifest(from);
const weights = readFileSync(join(shipped, 'versions', from, manifest.weights.file));
for (let i = Number(first); i < Number(first) + 1000; i++) {
  const version = `20250101-${i.toString(16).padStart(8, '0')}`;
  const copy: ModelManifest = { ...manifest, version };
  await registry.add(copy, weights, { 'card.md': `# ${version}\n` });
  await registry.promote(version, { override: true });
  writeSync(1, `${version}\n`);
}
