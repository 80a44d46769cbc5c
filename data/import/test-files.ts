import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { expect } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { BarStore } from '../bar-store.ts';
import { type FileReport, type ImportOptions, type ImportReport, importPaths } from './import.ts';

/** Files to import, made by hand, and a data folder to import them into. */
export const START = Date.UTC(2024, 9, 28);
export const NOW = Date.UTC(2025, 0, 1);
export const UNIFORM_HEADER = 'open_time,open,high,low,close,volume,quote_volume';
export const BARS_NAME = 'BTCUSDT-binance-perp-1h.csv';
const NAMES_OF_THE_STORE =
  /^[A-Z0-9]+-[a-z0-9]+-[a-z-]+(-\d+[mhd])?(\.\d{4}(-\d{2})?\.[0-9a-f]{16}\.parquet|\.json)$/;

export class ImportWorkspace {
  readonly folder: string;
  readonly dataDir: string;
  readonly store: BarStore;

  private constructor(folder: string, store: BarStore) {
    this.folder = folder;
    this.dataDir = join(folder, 'data');
    this.store = store;
  }

  static async open(): Promise<ImportWorkspace> {
    const folder = mkdtempSync(join(tmpdir(), 'plimsoll-import-'));
    return new ImportWorkspace(folder, await BarStore.open(join(folder, 'data')));
  }

  close(): void {
    this.store.close();
    rmSync(this.folder, { recursive: true });
  }

  put(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, 'files', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  import(paths: string | readonly string[], options: Partial<ImportOptions> = {}): Promise<ImportReport> {
    return importPaths(this.store, this.dataDir, typeof paths === 'string' ? [paths] : paths, {
      overrides: {},
      replace: false,
      clock: new ManualClock(NOW),
      onProgress: () => {},
      interrupted: new AbortController().signal,
      ...options,
    });
  }

  /** Imports one file with that content and returns what became of it. */
  async importFile(
    name: string,
    content: string | Uint8Array,
    options: Partial<ImportOptions> = {},
  ): Promise<FileReport> {
    const { files } = await this.import(this.put(name, content), options);
    expect(files).toHaveLength(1);
    return files[0];
  }

  /** The stored open times and closes of a series. */
  async storedCloses(id: string): Promise<readonly (readonly [number, number])[]> {
    const manifest = (await this.store.files.manifests()).find((one) => one.id === id);
    if (manifest === undefined) return [];
    const { openTime, close } = await this.store.loadBars(manifest);
    return Array.from(openTime, (time, i) => [time, close[i]]);
  }

  /** Nothing lies about: each file in the store is a manifest or one that it names, and nothing is unpacked. */
  async expectClean(): Promise<void> {
    const manifests = await this.store.files.manifests();
    const stored = readdirOrEmpty(this.store.files.directory);
    expect(stored.filter((name) => !NAMES_OF_THE_STORE.test(name))).toEqual([]);
    expect(stored.filter((name) => name.endsWith('.parquet')).sort()).toEqual(
      manifests.flatMap(({ parts }) => parts.map(({ file }) => file)).sort(),
    );
    expect(readdirOrEmpty(join(this.dataDir, 'tmp'))).toEqual([]);
    expect(readdirOrEmpty(this.dataDir).filter((name) => name.endsWith('.lock'))).toEqual([]);
  }
}

function readdirOrEmpty(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

export function hour(index: number): number {
  return START + index * HOUR_MILLISECONDS;
}

/** A sound row of the uniform layout; its values tell which hour it is. */
export function uniformRow(index: number, time: number | string = hour(index)): string {
  const price = 100 + index;
  return `${time},${price},${price + 2},${price - 2},${price + 1},${10 + index},${(10 + index) * price}`;
}

export function uniformRows(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => uniformRow(from + i));
}

export function uniformCsv(rows: readonly string[], lineEnd = '\n'): string {
  return [UNIFORM_HEADER, ...rows].map((line) => line + lineEnd).join('');
}

/** The closes of `uniformRows(from, to)`, as they are stored. */
export function closesOf(from: number, to: number): (readonly [number, number])[] {
  return Array.from({ length: to - from }, (_, i) => [hour(from + i), 101 + from + i] as const);
}

export interface ZipEntry {
  readonly name: string;
  readonly content: string;
  readonly deflated?: boolean;
  /** A checksum that does not belong to the content. */
  readonly wrongChecksum?: boolean;
}

/** A zip archive as the usual tools write it: local entries, the central directory, its end. */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, deflated = true, wrongChecksum = false } of entries) {
    const raw = Buffer.from(content);
    const packed = deflated ? deflateRawSync(raw) : raw;
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(deflated ? 8 : 0, 4);
    facts.writeUInt32LE((crc32(raw) ^ (wrongChecksum ? 1 : 0)) >>> 0, 10);
    facts.writeUInt32LE(packed.length, 14);
    facts.writeUInt32LE(raw.length, 18);
    facts.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), facts, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), facts, tail, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, central, Buffer.from('PK\x05\x06'), end]);
}
