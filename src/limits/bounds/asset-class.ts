import { type AssetClass, REST_CLASS } from '../bound-policy.ts';
import type { Policy } from '../policy.ts';

/** What contracts are quoted in, the longer names first. */
export const QUOTES = ['FDUSD', 'USDT', 'USDC', 'BUSD', 'TUSD', 'USD'];

/** The class of a market by the policy: the first that names its symbol or its base asset, else the rest. */
export function assetClassOf(symbol: string, policy: Policy): AssetClass {
  const base = baseAssetOf(symbol);
  const found = policy.classes.find(({ members }) =>
    members.some((member) => matches(member, symbol) || matches(member, base)),
  );
  if (found !== undefined) return found;
  return {
    name: REST_CLASS,
    members: [],
    maximumLeverage: policy.maximumLeverage,
    youngListingDays: policy.youngListingDays,
    youngListingMaximumLeverage: policy.youngListingMaximumLeverage,
    crowdingLowerCap: policy.crowdingLowerCap,
    crowdingUpperCap: policy.crowdingUpperCap,
  };
}

/** `1000SHIBUSDT` is SHIB: contracts on cheap coins are for a thousand or a million of them. */
function baseAssetOf(symbol: string): string {
  const quote = QUOTES.find((name) => symbol.endsWith(name) && symbol.length > name.length);
  const base = quote === undefined ? symbol : symbol.slice(0, -quote.length);
  return base.replace(/^10{3,}(?=[A-Z])/, '');
}

function matches(pattern: string, name: string): boolean {
  if (!pattern.includes('*')) return pattern === name;
  const [first, ...rest] = pattern.split('*');
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const [i, part] of rest.entries()) {
    const isLast = i === rest.length - 1;
    const found = isLast ? name.length - part.length : name.indexOf(part, at);
    if (found < at || !name.startsWith(part, found)) return false;
    at = found + part.length;
  }
  return true;
}
