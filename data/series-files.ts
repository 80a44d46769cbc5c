import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PlimsollError } from '../src/errors.ts';
import type { SeriesSummary } from './ports.ts';
import { type SeriesKey, seriesId } from './series.ts';

/** A Parquet file of a series, with rows of its own time. */
export interface SeriesPart {
  readonly file: string;
  readonly contentHash: string;
  readonly rows: number;
  /** Times of the first and the last row, epoch milliseconds. */
  readonly from: number;
  readonly to: number;
}

/** A part that was written, before it counts. */
export interface WrittenPart extends Pick<SeriesPart, 'rows' | 'from' | 'to'> {
  readonly temporary: string;
  /** Of its partition. */
  readonly name: string;
}

/** The manifest of a stored series. It names the Parquet files that count, so replacing it is the commit. */
export interface SeriesManifest extends SeriesSummary {
  /** One after the other in time. */
  readonly parts: readonly SeriesPart[];
  /** Names of the files that were imported into it, newest last. */
  readonly sources: readonly string[];
}

const MAXIMUM_SOURCES = 50;

/**
 * The files behind the bar store: `bars/<series>.json` names `bars/<series>.<partition>.<hash>.parquet`. A writer makes the new
 * Parquet files first and replaces the manifest last, by rename; whatever happens in between, readers see the former
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

  path(part: SeriesPart): string {
    return join(this.directory, part.file);
  }

  /** Where a writer puts new rows of a partition before it commits. */
  async temporaryPath(key: SeriesKey, partition: string): Promise<string> {
    await mkdir(this.directory, { recursive: true });
    return join(this.directory, `${seriesId(key)}.${partition}.${process.pid}.tmp`);
  }

  /** Makes what was written count, in the place of some parts of the series. */
  async commit(
    key: SeriesKey,
    written: readonly WrittenPart[],
    replaced: readonly SeriesPart[],
    { simulated, source }: { readonly simulated: boolean; readonly source: string | null },
  ): Promise<SeriesManifest> {
    const id = seriesId(key);
    const before = await this.manifest(key);
    const gone = new Set(replaced.map(({ file }) => file));
    const kept = (before?.parts ?? []).filter(({ file }) => !gone.has(file));
    const made = await Promise.all(written.map((part) => this.#settle(id, part)));
    const parts = [...kept, ...made].sort((a, b) => a.from - b.from);
    const sources = [
      ...(before?.sources ?? []).filter((name) => name !== source),
      ...(source === null ? [] : [source]),
    ];
    const manifest: SeriesManifest = {
      id,
      ...key,
      rows: parts.reduce((sum, { rows }) => sum + rows, 0),
      from: parts[0].from,
      to: parts[parts.length - 1].to,
      simulated,
      contentHash: hashOf(parts),
      parts,
      sources: sources.slice(-MAXIMUM_SOURCES),
    };
    const temporaryManifest = join(this.directory, `${id}.${process.pid}.json.tmp`);
    const handle = await open(temporaryManifest, 'w');
    await handle.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
    await handle.sync();
    await handle.close();
    await rename(temporaryManifest, join(this.directory, `${id}.json`));
    await syncDirectory(this.directory);
    const counted = new Set(parts.map(({ file }) => file));
    for (const file of gone) if (!counted.has(file)) await rm(join(this.directory, file), { force: true });
    return manifest;
  }

  /** Durable, and under the name that tells its content. */
  async #settle(id: string, { temporary, name, rows, from, to }: WrittenPart): Promise<SeriesPart> {
    const [contentHash] = await Promise.all([hashFile(temporary), syncFile(temporary)]);
    const file = `${id}.${name}.${contentHash.slice(0, 16)}.parquet`;
    await rename(temporary, join(this.directory, file));
    return { file, contentHash, rows, from, to };
  }

  /** Removes what crashed writers left: temporary files and Parquet files that no manifest names. */
  async removeLeftovers(): Promise<void> {
    const named = new Set((await this.manifests()).flatMap(({ parts }) => parts.map(({ file }) => file)));
    const names = await readdir(this.directory).catch(() => []);
    for (const name of names) {
      const isLeftover = name.endsWith('.tmp') || (name.endsWith('.parquet') && !named.has(name));
      if (isLeftover) await rm(join(this.directory, name), { force: true });
    }
  }

  async #read(name: string): Promise<SeriesManifest> {
    const text = await readFile(join(this.directory, name), 'utf8');
    const id = name.slice(0, -'.json'.length);
    let manifest: (Partial<SeriesManifest> & { readonly file?: unknown }) | null;
    try {
      manifest = JSON.parse(text);
    } catch (cause) {
      throw damagedSeries(id, cause);
    }
    const { file, ...rest } = manifest ?? {};
    const { rows, from, to, contentHash } = rest;
    // Versions before this one kept all of a series in one file.
    const whole = file === undefined ? rest : { ...rest, parts: [{ file, contentHash, rows, from, to }] };
    if (!isManifest(whole, id)) throw damagedSeries(id, null);
    return whole;
  }
}

function isManifest(found: object, id: string): found is SeriesManifest {
  const { id: own, contentHash, parts } = found as Partial<SeriesManifest>;
  const isPart = (part: Partial<SeriesPart> | null): boolean =>
    typeof part?.file === 'string' && Number.isFinite(part.from) && Number.isFinite(part.to);
  return (
    own === id &&
    typeof contentHash === 'string' &&
    Array.isArray(parts) &&
    parts.length > 0 &&
    parts.every(isPart)
  );
}

/** Of one part its own, so that what a series is known by does not depend on how it came in; of several one over theirs. */
function hashOf(parts: readonly SeriesPart[]): string {
  if (parts.length === 1) return parts[0].contentHash;
  return createHash('sha256')
    .update(parts.map(({ contentHash }) => contentHash).join('\n'))
    .digest('hex');
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
