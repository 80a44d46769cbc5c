import { existsSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe } from 'vitest';

const EXPECTED = resolve(import.meta.dirname, '..', '..', 'shared', 'market-data');

/** The folder of recorded market history beside the repository, or null where this machine has none. */
export function marketDataFolder(): string | null {
  return existsSync(EXPECTED) ? EXPECTED : null;
}

/**
 * Tests that need recorded market history. Where there is none they are skipped, and one line says which and why: a
 * run without them must not look like a run with them.
 */
export function describeWithMarketData(name: string, tests: (folder: string) => void): void {
  const folder = marketDataFolder();
  if (folder !== null) {
    describe(name, () => tests(folder));
    return;
  }
  writeSync(2, `skipped "${name}": there is no market data at ${EXPECTED}\n`);
  describe.skip(name, () => tests(EXPECTED));
}
