import type { CapPolicy, UserLimits } from '../accounts/user-limits.ts';
import type { MarketActivity } from '../limits/bounds/market-activity.ts';
import { scheduleFaults } from '../limits/brackets.ts';
import type { Bracket } from '../limits/types.ts';
import type { UserCapPolicy } from '../limits/user-policy.ts';
import { parseMicros } from '../units.ts';

// What comes over the wire is read here into what caps are computed from; whatever is not as it should be throws, so that it is never half taken.

/** A market as far as caps follow from it, and what is announced to open positions. */
export interface ClientMarket extends MarketActivity {
  readonly symbol: string;
  /** What new orders are held to. */
  readonly brackets: readonly Bracket[];
  /** What open positions are held to. */
  readonly maintenance: readonly Bracket[];
  /** What they will be held to, and from when, epoch milliseconds. */
  readonly announced: readonly { readonly effectiveAt: number; readonly brackets: readonly Bracket[] }[];
}

/** What a snapshot and a change both say. Times are epoch milliseconds. */
export interface BookHead {
  readonly version: number;
  readonly hash: string;
  readonly previousHash: string;
  readonly decidedAt: number;
  readonly validUntil: number;
  readonly degraded: boolean;
  readonly simulated: boolean;
  readonly total: number;
}

export interface Change {
  readonly head: BookHead;
  readonly changed: readonly ClientMarket[];
  readonly activity: readonly (MarketActivity & { readonly symbol: string })[];
  readonly removed: readonly string[];
}

export type ClientPolicy = CapPolicy & {
  readonly users: Pick<UserCapPolicy, 'experienceClasses' | 'openInterestShare' | 'dailyVolumeShare'>;
};

type Fields = Readonly<Record<string, unknown>>;

export function readSnapshot(text: string): { head: BookHead; markets: readonly ClientMarket[] } {
  const fields = objectOf(JSON.parse(text));
  return { head: headOf(fields), markets: listOf(fields.markets).map(marketOf) };
}

export function readChange(text: string): Change {
  const fields = objectOf(JSON.parse(text));
  return {
    head: headOf(fields),
    changed: listOf(fields.changed).map(marketOf),
    activity: listOf(fields.activity).map((value) => {
      const one = objectOf(value);
      return { symbol: textOf(one.symbol), ...activityOf(one) };
    }),
    removed: listOf(fields.removed).map(textOf),
  };
}

export function readPolicy(value: unknown): ClientPolicy {
  const fields = objectOf(value);
  return {
    newAccountDays: numberOf(fields.newAccountDays),
    newAccountMaximumLeverage: numberOf(fields.newAccountMaximumLeverage),
    maximumNotionalCoef: numberOf(fields.maximumNotionalCoef),
    notionalCoefRaisesLastCap: flagOf(fields.notionalCoefRaisesLastCap),
    users: {
      openInterestShare: numberOf(fields.openInterestShare),
      dailyVolumeShare: numberOf(fields.dailyVolumeShare),
      experienceClasses: listOf(fields.experienceClasses).map((one) => {
        const { name, maximumLeverage } = objectOf(one);
        return { name: textOf(name), maximumLeverage: numberOf(maximumLeverage) };
      }),
    },
  };
}

/** A user as the service tells it. */
export function readUser(value: unknown): UserLimits {
  const fields = objectOf(value);
  const orNull = <T>(field: unknown, read: (field: unknown) => T): T | null =>
    field === null ? null : read(field);
  return {
    maxLeverage: orNull(fields.maxLeverage, numberOf),
    accountCreatedAt: orNull(fields.accountCreatedAt, timeOf),
    ownInitialMarginRatePpm: orNull(fields.ownInitialMarginRatePpm, numberOf),
    notionalCoefMicros: orNull(fields.notionalCoef, microsOf),
    experienceClass: orNull(fields.experienceClass, textOf),
    overrideMaxLeverage: orNull(fields.overrideMaxLeverage, numberOf),
    overrideExpiresAt: orNull(fields.overrideExpiresAt, timeOf),
  };
}

/** A user that the feed tells of. */
export function readToldUser(data: string): { readonly userId: string; readonly limits: UserLimits } {
  const fields = objectOf(JSON.parse(data));
  return { userId: textOf(fields.userId), limits: readUser(fields) };
}

function headOf(fields: Fields): BookHead {
  const version = numberOf(fields.version);
  if (!Number.isSafeInteger(version) || version < 1) throw new Error('a version is not one');
  return {
    version,
    hash: textOf(fields.hash),
    previousHash: textOf(fields.previousHash),
    decidedAt: timeOf(fields.decidedAt),
    validUntil: timeOf(fields.validUntil),
    degraded: flagOf(fields.degraded),
    simulated: flagOf(fields.simulated),
    total: numberOf(fields.total),
  };
}

function marketOf(value: unknown): ClientMarket {
  const fields = objectOf(value);
  const symbol = textOf(fields.symbol);
  const brackets = bracketsOf(fields.brackets);
  const [fault] = scheduleFaults(brackets);
  if (fault !== undefined) throw new Error(`the table of ${symbol}: ${fault}`);
  return {
    symbol,
    brackets,
    maintenance: bracketsOf(fields.maintenance),
    announced: listOf(fields.announced).map((one) => {
      const { effectiveAt, brackets: announced } = objectOf(one);
      return { effectiveAt: timeOf(effectiveAt), brackets: bracketsOf(announced) };
    }),
    ...activityOf(fields),
  };
}

function activityOf({ openInterest, dailyVolume }: Fields): MarketActivity {
  return {
    openInterest: openInterest === null ? null : wholeOf(openInterest),
    dailyVolume: dailyVolume === null ? null : wholeOf(dailyVolume),
  };
}

function bracketsOf(value: unknown): readonly Bracket[] {
  return listOf(value).map((one) => {
    const fields = objectOf(one);
    return {
      bracket: numberOf(fields.bracket),
      notionalFloor: wholeOf(fields.notionalFloor),
      notionalCap: wholeOf(fields.notionalCap),
      maxLeverage: numberOf(fields.maxLeverage),
      initialMarginRatePpm: numberOf(fields.initialMarginRatePpm),
      maintenanceMarginRatePpm: numberOf(fields.maintenanceMarginRatePpm),
      maintenanceAmountMicros: microsOf(fields.maintenanceAmount),
    };
  });
}

function objectOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it is no object');
  return value as Fields;
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('it is no list');
  return value;
}

function textOf(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new Error('a text is missing');
  return value;
}

function numberOf(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error('a number is missing');
  return value;
}

function flagOf(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Error('a flag is missing');
  return value;
}

function timeOf(value: unknown): number {
  return numberOf(Date.parse(textOf(value)));
}

function wholeOf(value: unknown): number {
  const whole = /^\d{1,16}$/.test(textOf(value)) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(whole)) throw new Error('an amount is not a whole number');
  return whole;
}

function microsOf(value: unknown): number {
  const micros = Number(parseMicros(textOf(value)) ?? Number.NaN);
  if (!Number.isSafeInteger(micros)) throw new Error('an amount cannot be read');
  return micros;
}
