import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BarStore } from '../data/bar-store.ts';
import { type ImportReport, importPaths } from '../data/import/import.ts';
import { SampleSource } from '../data/sample/source.ts';
import { systemClock } from '../src/clock.ts';
import { marketDataFolder } from '../test/market-data-folder.ts';
import { print } from './measure.ts';

export interface Filled {
  readonly dataDir: string;
  readonly store: BarStore;
  readonly report: ImportReport | null;
  remove(): void;
}

/** A data folder with all real history, or with the simulated markets where there is none; it says which. */
export async function filledStore(): Promise<Filled> {
  const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-bench-'));
  const store = await BarStore.open(dataDir);
  let report: ImportReport | null = null;
  const folder = marketDataFolder();
  if (folder !== null) report = await importAll(store, dataDir, folder);
  else {
    print('no real history beside the checkout: SIMULATED markets are measured instead');
    await new SampleSource({ store, dataDir }).ensure(systemClock.now());
  }
  return {
    dataDir,
    store,
    report,
    remove: () => {
      store.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export function importAll(store: BarStore, dataDir: string, folder: string): Promise<ImportReport> {
  return importPaths(store, dataDir, [folder], {
    overrides: {},
    replace: false,
    clock: systemClock,
    onProgress: () => {},
    interrupted: new AbortController().signal,
  });
}
