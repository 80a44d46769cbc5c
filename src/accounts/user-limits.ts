import type { Policy } from '../limits/policy.ts';
import { experienceLeverage, type UserCapPolicy } from '../limits/user-policy.ts';
import { DAY_MILLISECONDS, leverageToMarginPpmUp, PPM } from '../units.ts';

/** What of the policy limits users. */
export interface CapPolicy
  extends Pick<
    Policy,
    'newAccountDays' | 'newAccountMaximumLeverage' | 'maximumNotionalCoef' | 'notionalCoefRaisesLastCap'
  > {
  readonly users: Pick<UserCapPolicy, 'experienceClasses'>;
}

/** What is known about a user, as far as it limits leverage. */
export interface UserLimits {
  /** The house's limit for this user; null for none. */
  readonly maxLeverage: number | null;
  /** Epoch milliseconds; null where unknown. */
  readonly accountCreatedAt: number | null;
  /** The least initial margin rate that the user wants to be held to; null for none. */
  readonly ownInitialMarginRatePpm: number | null;
  /** The market's brackets are scaled by so many millionths for this user; null for not at all. */
  readonly notionalCoefMicros: number | null;
  /** One of the policy's classes; null where the user has none. */
  readonly experienceClass: string | null;
  /** A limit for a time, which only tightens; null for none. */
  readonly overrideMaxLeverage: number | null;
  /** Epoch milliseconds: from then on the override does not count. */
  readonly overrideExpiresAt: number | null;
}

/** A user of whom nothing is known: no limits of their own, and an account that counts as new. */
export const UNKNOWN_USER: UserLimits = {
  maxLeverage: null,
  accountCreatedAt: null,
  ownInitialMarginRatePpm: null,
  notionalCoefMicros: null,
  experienceClass: null,
  overrideMaxLeverage: null,
  overrideExpiresAt: null,
};

export const CAP_REASONS = [
  'BRACKET',
  'NOTIONAL_COEF',
  'NOTIONAL_ABOVE_LAST_BRACKET',
  'HOUSE_LIMIT',
  'NEW_ACCOUNT',
  'ACCOUNT_AGE_UNKNOWN',
  'EXPERIENCE_CLASS',
  'EXPERIENCE_CLASS_UNKNOWN',
  'OWN_CHOICE',
  'USER_OVERRIDE',
  'PORTFOLIO_RISK',
  'PORTFOLIO_RISK_NOT_NETTED',
  'OPEN_INTEREST_SHARE',
  'VOLUME_SHARE',
  'REDUCE_ONLY',
  'LIMITS_EXPIRED',
] as const;
export type CapReason = (typeof CAP_REASONS)[number];

/** One upper limit at every notional up to a largest one, above which it refuses. */
export interface Limit {
  readonly reason: CapReason;
  /** At least 1; infinite where the limit is one of the notional alone. */
  readonly leverage: number;
  /** What the leverage asks for, exactly; 0 beside an infinite one. */
  readonly initialMarginRatePpm: number;
  /** Whole quote units; infinite where the limit is one of the leverage alone. */
  readonly largestNotional: number;
}

/** A limit that is not a number of at least 1 counts as 1: what cannot be read grants least. */
export function leverageLimit(reason: CapReason, leverage: number): Limit {
  const granted = leverage >= 1 ? leverage : 1;
  const initialMarginRatePpm = leverageToMarginPpmUp(granted);
  return { reason, leverage: granted, initialMarginRatePpm, largestNotional: Number.POSITIVE_INFINITY };
}

/** A limit of the notional at any leverage. What cannot be read grants least. */
export function notionalLimit(reason: CapReason, notional: number): Limit {
  const largestNotional = notional >= 0 ? Math.floor(notional) : 0;
  return { reason, leverage: Number.POSITIVE_INFINITY, initialMarginRatePpm: 0, largestNotional };
}

/** Hundredths, down: a leverage that is shown must not ask for less margin than what it stands for. */
export function leverageDown(leverage: number): number {
  return Math.floor(leverage * 100) / 100;
}

/** The limits that hold for the user in every market and at every notional. */
export function personalLimits(user: UserLimits, policy: CapPolicy, now: number): Limit[] {
  const limits: Limit[] = [];
  if (user.maxLeverage !== null) limits.push(leverageLimit('HOUSE_LIMIT', user.maxLeverage));
  if (user.accountCreatedAt === null) {
    limits.push(leverageLimit('ACCOUNT_AGE_UNKNOWN', policy.newAccountMaximumLeverage));
  } else if (!(now - user.accountCreatedAt >= policy.newAccountDays * DAY_MILLISECONDS)) {
    limits.push(leverageLimit('NEW_ACCOUNT', policy.newAccountMaximumLeverage));
  }
  if (user.experienceClass !== null) {
    const { maximumLeverage, isKnown } = experienceLeverage(user.experienceClass, policy.users);
    limits.push(leverageLimit(isKnown ? 'EXPERIENCE_CLASS' : 'EXPERIENCE_CLASS_UNKNOWN', maximumLeverage));
  }
  if (user.ownInitialMarginRatePpm !== null) limits.push(ownChoice(user.ownInitialMarginRatePpm));
  // An expiry that cannot be read is none.
  const isOver = user.overrideExpiresAt !== null && now >= user.overrideExpiresAt;
  if (user.overrideMaxLeverage !== null && !isOver)
    limits.push(leverageLimit('USER_OVERRIDE', user.overrideMaxLeverage));
  return limits;
}

function ownChoice(ratePpm: number): Limit {
  const rate = ratePpm >= 1 && ratePpm <= PPM ? Math.ceil(ratePpm) : PPM;
  return {
    reason: 'OWN_CHOICE',
    leverage: leverageDown(PPM / rate),
    initialMarginRatePpm: rate,
    largestNotional: Number.POSITIVE_INFINITY,
  };
}
