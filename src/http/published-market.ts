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

type PolicyFacts = Pick<MarginMarket, 'contract' | 'excursions'>;

/** Of the policy in force, in which they were found last. */
const FACTS = new WeakMap<MarketLimit, { readonly policy: Policy; readonly facts: PolicyFacts }>();

/** What of a market follows from its limits and the policy; found once for each, as every position of every check asks for it. */
function policyFacts(limit: MarketLimit, policy: Policy): PolicyFacts {
  const known = FACTS.get(limit);
  if (known?.policy === policy) return known.facts;
  const facts = {
    contract: contractOf(limit.symbol, policy.contracts),
    excursions: excursionsOf(limit.forecasts, policy.accounts.liquidationHorizonHours),
  };
  FACTS.set(limit, { policy, facts });
  return facts;
}

/** A market as the limits in force have it; one that is not among them asks for most. */
export function publishedMarket(
  symbol: string,
  mark: number | null,
  limit: MarketLimit | undefined,
  policy: Policy,
  netting: Netting | null,
): MarginMarket {
  const common = { symbol, mark, beta: betaOf(symbol, netting), liquidity: null };
  return limit === undefined
    ? { ...common, ...STRICTEST, contract: contractOf(symbol, policy.contracts), excursions: null }
    : { ...common, ...publishedTables(limit), ...policyFacts(limit, policy) };
}
