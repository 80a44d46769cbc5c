import { writeSync } from 'node:fs';
import { describe } from 'vitest';
import { EXPECTED_MARKET_DATA, marketDataFolder } from './market-data-folder.ts';

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
  writeSync(2, `skipped "${name}": there is no market data at ${EXPECTED_MARKET_DATA}\n`);
  describe.skip(name, () => tests(EXPECTED_MARKET_DATA));
}
