import type { Cap, Check } from './answers.ts';

// What the codes of caps and checks mean, for people. The types make a new code ask for its sentence.

type CapReason = Cap['bindingReason'];
type CapNote = Cap['notes'][number];
type ReduceOnlyCause = NonNullable<Check['reduceOnly']>['cause'];

export const CAP_REASONS: Readonly<Record<CapReason, string>> = {
  BRACKET: 'The market’s bracket at this notional allows no more leverage.',
  NOTIONAL_COEF: 'The bracket, scaled by the user’s notional coefficient, allows no more.',
  NOTIONAL_ABOVE_LAST_BRACKET: 'No bracket of the market is that large: refused at any leverage.',
  HOUSE_LIMIT: 'The house limits this user’s leverage.',
  NEW_ACCOUNT: 'The account is young, and the policy limits young accounts.',
  ACCOUNT_AGE_UNKNOWN: 'Nobody said how old the account is, so it counts as young.',
  EXPERIENCE_CLASS: 'The user’s class of experience allows no more.',
  EXPERIENCE_CLASS_UNKNOWN:
    'The policy does not know the user’s class of experience; the tightest one counts.',
  OWN_CHOICE: 'The user chose a margin rate of his own that allows no more.',
  USER_OVERRIDE: 'The house tightens this user for a time.',
  PORTFOLIO_RISK: 'The account’s positions together could lose as much of its equity as the policy allows.',
  PORTFOLIO_RISK_NOT_NETTED:
    'The account’s positions together could lose as much as the policy allows; some are added in full, because correlations or a forecast are missing.',
  OPEN_INTEREST_SHARE: 'The user would hold too large a share of the market’s open interest.',
  VOLUME_SHARE: 'The user would hold too large a share of what is traded on a quiet day.',
  LIMITS_EXPIRED:
    'The validity of the limits is over: half of the market’s most counts, and half of that each quarter of an hour.',
  REDUCE_ONLY: 'The account may only reduce in this market.',
};

export const CAP_NOTES: Readonly<Record<CapNote, string>> = {
  NO_ACCOUNT:
    'No account of this user is known: other positions and the balance do not count, and the notional is that of the whole position after the order.',
  PRICE_UNKNOWN: 'A mark is missing, so what depends on it did not limit.',
  CORRELATIONS_UNKNOWN: 'Correlations are not known, so positions are added in full instead of netted.',
  OPEN_INTEREST_UNKNOWN: 'The market’s open interest is not known, so no share of it limits.',
  VOLUME_UNKNOWN: 'The market’s volume is not known, so no share of it limits.',
};

export const REDUCE_ONLY_CAUSES: Readonly<Record<ReduceOnlyCause, string>> = {
  ACCOUNT_STATUS: 'the account’s margin status allows it nothing else, in any market',
  NO_EQUITY: 'nothing is left in the account',
  PRICE_UNKNOWN: 'a mark is missing of what the account holds, so nobody knows its equity',
  NOTHING_TO_REDUCE: 'the order may only reduce, and there is nothing on the other side',
  POSITION_ABOVE_CAPS: 'its position here is above what the limits allow now',
};

/** A status or kind of intervention, by how bad it is. */
export function toneOfStatus(status: string): 'good' | 'warn' | 'bad' | '' {
  if (status === 'healthy' || status === 'relief') return 'good';
  if (status === 'warning' || status === 'marginCall') return 'warn';
  return status === 'unknown' ? '' : 'bad';
}
