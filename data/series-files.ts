import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PlimsollError } from '../src/errors.ts';
import type { SeriesSummary } from './ports.ts';
import { type SeriesKey, seriesId } from './series.ts';

/** The manifest of a stored series. It names the Parquet file that counts, so replacing it is the commit. */
export interface SeriesManifest extends SeriesSummary {
  readonly file: string;
  /** Names of the files that were imported into it, newest last. */
  readonly sources: readonly string[];
}

const MAXIMUM_SOURCES = 50;

/**
 * The files behind the bar store: `bars/<series>.json` names `bars/<series>.<hash>.parquet`. A writer makes the new
 * Parquet file first and replaces the manifest last, by rename; whatever happens in between, readers see the former
 * state, and the next writer removes what was left over.
 */
export class SeriesFiles {
  readonly directory: string;

  constructor(dataDir: string) {
    this.directory = join(dataDir, 'bars');
  }

  async manifests(): Promise<SeriesManifest[]> {
    const names = await readdir(this.directory).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'ENOENT') return [];
      throw thrown;
    });
    const found = names.filter((name) => name.endsWith('.json')).sort();
    return Promise.all(found.map((name) => this.#read(name)));
  }

  async manifest(key: SeriesKey): Promise<SeriesManifest | null> {
    try {
      return await this.#read(`${seriesId(key)}.json`);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw thrown;
    }
  }

  path(manifest: SeriesManifest): string {
    return join(this.directory, manifest.file);
  }

  /** Where a writer puts the new content before it commits. */
  async temporaryPath(key: SeriesKey): Promise<string> {
    await mkdir(this.directory, { recursive: true });
    return join(this.directory, `${seriesId(key)}.${process.pid}.tmp`);
  }

  /** Makes the content at `temporary` the content of the series. */
  async commit(
    key: SeriesKey,
    temporary: string,
    facts: { readonly rows: number; readonly from: number; readonly to: number; readonly simulated: boolean },
    source: string | null,
  ): Promise<SeriesManifest> {
    const id = seriesId(key);
    const before = await this.manifest(key);
    const [contentHash] = await Promise.all([hashFile(temporary), syncFile(temporary)]);
    const file = `${id}.${contentHash.slice(0, 16)}.parquet`;
    await rename(temporary, join(this.directory, file));
    const sources = [
      ...(before?.sources ?? []).filter((name) => name !== source),
      ...(source === null ? [] : [source]),
    ];
    const manifest: SeriesManifest = {
      id,
      ...key,
      ...facts,
      contentHash,
      file,
      sources: sources.slice(-MAXIMUM_SOURCES),
    };
    const temporaryManifest = `${temporary}.json.tmp`;
    const handle = await open(temporaryManifest, 'w');
    await handle.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
    await handle.sync();
    await handle.close();
    await rename(temporaryManifest, join(this.directory, `${id}.json`));
    await syncDirectory(this.directory);
    if (before !== null && before.file !== file) await rm(join(this.directory, before.file), { force: true });
    return manifest;
  }

  /** Removes what crashed writers left: temporary files and Parquet files that no manifest names. */
  async removeLeftovers(): Promise<void> {
    const named = new Set((await this.manifests()).map((manifest) => manifest.file));
    const names = await readdir(this.directory).catch(() => []);
    for (const name of names) {
      const isLeftover = name.endsWith('.tmp') || (name.endsWith('.parquet') && !named.has(name));
      if (isLeftover) await rm(join(this.directory, name), { force: true });
    }
  }

  async #read(name: string): Promise<SeriesManifest> {
    const text = await readFile(join(this.directory, name), 'utf8');
    const id = name.slice(0, -'.json'.length);
    let manifest: Partial<SeriesManifest> | null;
    try {
      manifest = JSON.parse(text);
    } catch (cause) {
      throw damagedSeries(id, cause);
    }
    const isWhole =
      manifest?.id === id && typeof manifest.file === 'string' && typeof manifest.contentHash === 'string';
    if (!isWhole) throw damagedSeries(id, null);
    return manifest as SeriesManifest;
  }
}

/** What is stored of a series can no longer be read. */
export function damagedSeries(id: string, cause: unknown): PlimsollError {
  return new PlimsollError('STORE_DAMAGED', `the stored series ${id} is damaged`, {
    remedy: `Remove bars/${id}.json from the data folder and import the series again.`,
    details: { series: id },
    cause,
  });
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  await handle.sync();
  await handle.close();
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync();
  await handle.close();
}
