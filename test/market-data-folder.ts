import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Where recorded market history is looked for: beside the repository. Nothing else knows the place. */
export const EXPECTED_MARKET_DATA = resolve(import.meta.dirname, '..', '..', 'shared', 'market-data');

/** Where recorded tables of an exchange are looked for, likewise. */
export const EXPECTED_EXCHANGE_TABLES = resolve(EXPECTED_MARKET_DATA, '..', 'exchange-tiers');

/** The folder of recorded market history, or null where this machine has none. */
export function marketDataFolder(): string | null {
  return existsSync(EXPECTED_MARKET_DATA) ? EXPECTED_MARKET_DATA : null;
}
