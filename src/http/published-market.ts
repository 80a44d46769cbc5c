import type { MarginMarket } from '../accounts/margin/account.ts';
import { excursionsOf } from '../accounts/margin/probability.ts';
import { type MarginTable, marginTableOf } from '../accounts/margin/table.ts';
import { betaOf, type Netting } from '../accounts/portfolio-cap.ts';
import { contractOf } from '../limits/account-policy.ts';
import { maintenanceOf, mostConservativeBrackets } from '../limits/brackets.ts';
import type { Policy } from '../limits/policy.ts';
import type { MarketLimit } from '../limits/types.ts';

interface PublishedTables {
  readonly maintenance: MarginTable;
  readonly initial: MarginTable;
}

const LEAST = marginTableOf(mostConservativeBrackets());
const STRICTEST: PublishedTables = { maintenance: LEAST, initial: LEAST };

const TABLES = new WeakMap<MarketLimit, PublishedTables>();

/** A market's tables in float64; made once for each publication. */
export function publishedTables(limit: MarketLimit): PublishedTables {
  const known = TABLES.get(limit);
  if (known !== undefined) return known;
  const made = {
    maintenance: marginTableOf(maintenanceOf(limit)),
    initial: marginTableOf(limit.brackets),
  };
  TABLES.set(limit, made);
  return made;
}

/** A market as the limits in force have it; one that is not among them asks for most. */
export function publishedMarket(
  symbol: string,
  mark: number | null,
  limit: MarketLimit | undefined,
  policy: Policy,
  netting: Netting | null,
): MarginMarket {
  const tables = limit === undefined ? STRICTEST : publishedTables(limit);
  return {
    symbol,
    contract: contractOf(symbol, policy.contracts),
    mark,
    ...tables,
    beta: betaOf(symbol, netting),
    excursions:
      limit === undefined ? null : excursionsOf(limit.forecasts, policy.accounts.liquidationHorizonHours),
    liquidity: null,
  };
}
