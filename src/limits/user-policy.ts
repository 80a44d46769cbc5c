/** What one user may carry beyond what a market's brackets say. */
export interface UserCapPolicy {
  /** Classes of experience that users are put into. A user of a class that is not here counts as of the tightest. */
  readonly experienceClasses: readonly ExperienceClass[];
  /** The ES of an account's positions together may be this share of its equity. */
  readonly portfolioEquityShare: number;
  /** How far correlations are moved under stress, towards one and towards none; 0 where the measured ones are believed. */
  readonly correlationStressShare: number;
  /** A user's positions in a market may be this share of its open interest, where that is known. */
  readonly openInterestShare: number;
  /** And this share of what is traded in a quiet day. */
  readonly dailyVolumeShare: number;
  /** What becomes of an open position that new limits no longer allow; either way it may only reduce. */
  readonly openPositions: OpenPositions;
  /** With `reduceWithNotice` it has to fit this long after the limits changed. */
  readonly noticeHours: number;
}

export interface ExperienceClass {
  readonly name: string;
  readonly maximumLeverage: number;
}

/** `keep`: it may stay as it is. `reduceWithNotice`: it has to fit after a notice. */
export const OPEN_POSITIONS = ['keep', 'reduceWithNotice'] as const;
export type OpenPositions = (typeof OPEN_POSITIONS)[number];

export const DEFAULT_USER_CAP_POLICY: UserCapPolicy = {
  experienceClasses: [
    { name: 'beginner', maximumLeverage: 5 },
    { name: 'regular', maximumLeverage: 20 },
    { name: 'professional', maximumLeverage: 125 },
  ],
  portfolioEquityShare: 1,
  correlationStressShare: 0.5,
  openInterestShare: 0.1,
  dailyVolumeShare: 0.1,
  openPositions: 'keep',
  noticeHours: 72,
};

/** The leverage of a class; that of the tightest one, or 1 where there is none, for a name that is not known. */
export function experienceLeverage(
  name: string,
  { experienceClasses }: Pick<UserCapPolicy, 'experienceClasses'>,
): { readonly maximumLeverage: number; readonly isKnown: boolean } {
  const found = experienceClasses.find((one) => one.name === name);
  if (found !== undefined) return { maximumLeverage: found.maximumLeverage, isKnown: true };
  const all = experienceClasses.map(({ maximumLeverage }) => maximumLeverage);
  return { maximumLeverage: all.length === 0 ? 1 : Math.min(...all), isKnown: false };
}

/** A year: what waits longer is no notice. */
const LONGEST_NOTICE_HOURS = 8760;
const CLASS_NAME = /^[\w.-]{1,40}$/;

/** Every contradiction in words that name the setting; empty for a good policy. */
export function userCapPolicyFaults(policy: UserCapPolicy): string[] {
  const faults: string[] = [];
  const need = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(`users.${fault}`);
  };
  const names = policy.experienceClasses.map(({ name }) => name);
  need(new Set(names).size === names.length, 'experienceClasses must have different names');
  for (const { name, maximumLeverage } of policy.experienceClasses) {
    need(CLASS_NAME.test(name), 'experienceClasses must have names of 1 to 40 letters, digits and _ . -');
    need(
      maximumLeverage >= 1 && Number.isFinite(maximumLeverage),
      `experienceClasses.${name} must have a maximumLeverage of at least 1`,
    );
  }
  for (const name of ['portfolioEquityShare', 'openInterestShare', 'dailyVolumeShare'] as const)
    need(policy[name] > 0 && Number.isFinite(policy[name]), `${name} must be a number above 0`);
  need(
    policy.correlationStressShare >= 0 && policy.correlationStressShare <= 1,
    'correlationStressShare must be from 0 to 1',
  );
  need(
    OPEN_POSITIONS.includes(policy.openPositions),
    `openPositions must be one of ${OPEN_POSITIONS.join(', ')}`,
  );
  need(
    policy.noticeHours >= 0 && policy.noticeHours <= LONGEST_NOTICE_HOURS,
    `noticeHours must be from 0 to ${LONGEST_NOTICE_HOURS}`,
  );
  return faults;
}
