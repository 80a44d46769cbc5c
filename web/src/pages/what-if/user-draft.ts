import { rateToPpmUp } from '../../../../src/units.ts';
import type { User } from '../../answers.ts';
import { leverageText, moneyText, ppmText, timeText } from '../../format.ts';
import { typedDecimal, typedPercent } from '../../typed.ts';

/** A user's policy as it is typed; empty is nothing set. */
export interface UserDraft {
  readonly maxLeverage: string;
  /** `2026-01-31`. */
  readonly accountCreatedAt: string;
  /** In percent. */
  readonly ownInitialMarginRate: string;
  readonly notionalCoef: string;
  readonly experienceClass: string;
  readonly overrideMaxLeverage: string;
  /** `2026-01-31T18:00`, UTC. */
  readonly overrideExpiresAt: string;
  readonly overrideReason: string;
}

/** All settings of a user: what is left out of a PUT is taken away, so all of them go with each. */
export type UserSettings = Omit<User, 'userId' | 'updatedAt'>;

export function userDraftOf(user: UserSettings | null): UserDraft {
  const text = (value: number | string | null | undefined): string => (value == null ? '' : String(value));
  const rate = user?.ownInitialMarginRatePpm;
  return {
    maxLeverage: text(user?.maxLeverage),
    accountCreatedAt: text(user?.accountCreatedAt).slice(0, 10),
    ownInitialMarginRate: rate == null ? '' : String(rate / 10_000),
    notionalCoef: text(user?.notionalCoef),
    experienceClass: text(user?.experienceClass),
    overrideMaxLeverage: text(user?.overrideMaxLeverage),
    overrideExpiresAt: text(user?.overrideExpiresAt).slice(0, 16),
    overrideReason: text(user?.overrideReason),
  };
}

/** @param before so that a time of which only the day is shown keeps its hour where the day stays. */
export function userSettingsOf(
  draft: UserDraft,
  before: UserSettings | null,
): { settings: UserSettings | null; faults: readonly string[] } {
  const faults: string[] = [];
  const number = (name: string, typed: string): string | null => {
    if (typed.trim() === '') return null;
    const decimal = typedDecimal(typed);
    if (decimal === null || Number(decimal) <= 0) faults.push(`${name}: “${typed}” is not a number above 0.`);
    return decimal;
  };
  const leverage = (name: string, typed: string): number | null => {
    const decimal = number(name, typed);
    return decimal === null ? null : Number(decimal);
  };
  const old = userDraftOf(before);
  const rate = draft.ownInitialMarginRate.trim() === '' ? null : typedPercent(draft.ownInitialMarginRate);
  if (draft.ownInitialMarginRate.trim() !== '' && (rate === null || rate <= 0 || rate > 1))
    faults.push('Own margin rate: give a percentage above 0 and up to 100.');
  const settings: UserSettings = {
    maxLeverage: leverage('Largest leverage', draft.maxLeverage),
    accountCreatedAt:
      draft.accountCreatedAt === old.accountCreatedAt
        ? (before?.accountCreatedAt ?? null)
        : isoOf(draft.accountCreatedAt, 'T00:00:00Z'),
    // Rounded up: a margin rate that was chosen is never asked less than.
    ownInitialMarginRatePpm: rate === null ? null : rateToPpmUp(rate),
    notionalCoef: number('Notional coefficient', draft.notionalCoef),
    experienceClass: draft.experienceClass || null,
    overrideMaxLeverage: leverage('Override', draft.overrideMaxLeverage),
    overrideExpiresAt:
      draft.overrideExpiresAt === old.overrideExpiresAt
        ? (before?.overrideExpiresAt ?? null)
        : isoOf(draft.overrideExpiresAt, ':00Z'),
    overrideReason: draft.overrideReason.trim() || null,
  };
  const override = [settings.overrideMaxLeverage, settings.overrideExpiresAt, settings.overrideReason];
  const given = override.filter((one) => one !== null).length;
  if (given !== 0 && given !== override.length)
    faults.push('A temporary limit has a leverage, an end and a reason: give all three or none.');
  return { settings: faults.length === 0 ? settings : null, faults };
}

export const SETTING_NAMES: Readonly<Record<keyof UserSettings, string>> = {
  maxLeverage: 'Largest leverage (house)',
  accountCreatedAt: 'Account made on',
  ownInitialMarginRatePpm: 'Own margin rate',
  notionalCoef: 'Notional coefficient',
  experienceClass: 'Class of experience',
  overrideMaxLeverage: 'Temporary limit',
  overrideExpiresAt: 'Temporary limit ends',
  overrideReason: 'Temporary limit because',
};

export function settingText(name: keyof UserSettings, user: UserSettings | null): string {
  const value = user?.[name] ?? null;
  if (value === null) return 'not set';
  if (name === 'maxLeverage' || name === 'overrideMaxLeverage') return leverageText(Number(value));
  if (name === 'ownInitialMarginRatePpm') return ppmText(Number(value));
  if (name === 'notionalCoef') return moneyText(String(value), 6);
  if (name === 'accountCreatedAt' || name === 'overrideExpiresAt') return `${timeText(value)} UTC`;
  return String(value);
}

/** What would be another than before, in words. */
export function changesOf(
  before: UserSettings | null,
  after: UserSettings,
): readonly { readonly name: string; readonly from: string; readonly to: string }[] {
  return (Object.keys(SETTING_NAMES) as (keyof UserSettings)[])
    .filter((name) => (before?.[name] ?? null) !== after[name])
    .map((name) => ({
      name: SETTING_NAMES[name],
      from: settingText(name, before),
      to: settingText(name, after),
    }));
}

function isoOf(text: string, rest: string): string | null {
  return text === '' ? null : `${text}${rest}`;
}
