import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, type Policy } from '../limits/policy.ts';
import type { Bracket } from '../limits/types.ts';
import { leverageToMarginPpmUp } from '../units.ts';
import { userCap as cap, checkOrder as check, type Order } from './caps.ts';
import { UNKNOWN_USER, type UserLimits } from './user-limits.ts';

const NOW = Date.UTC(2024, 5, 1);
const DAY = 86_400_000;
const POLICY = DEFAULT_POLICY;

function bracket(n: number, floor: number, cap: number, maxLeverage: number, rate: number): Bracket {
  return {
    bracket: n,
    notionalFloor: floor,
    notionalCap: cap,
    maxLeverage,
    initialMarginRatePpm: leverageToMarginPpmUp(maxLeverage),
    maintenanceMarginRatePpm: rate,
    maintenanceAmountMicros: 0,
  };
}

const BRACKETS = [
  bracket(1, 0, 50_000, 50, 10_000),
  bracket(2, 50_000, 1_000_000, 25, 20_000),
  bracket(3, 1_000_000, 5_000_000, 5, 100_000),
  bracket(4, 5_000_000, 20_000_000, 1, 500_000),
];
const OLD_USER: UserLimits = { ...UNKNOWN_USER, accountCreatedAt: NOW - 1000 * DAY };

function userCap(
  brackets: readonly Bracket[],
  notional: number,
  user: UserLimits,
  policy: Policy,
  now: number,
) {
  return cap({ brackets, user, policy, now }, notional);
}

function checkOrder(
  brackets: readonly Bracket[],
  order: Order,
  user: UserLimits,
  policy: Policy,
  now: number,
) {
  const { cap: _, ...answer } = check({ brackets, user, policy, now }, order);
  return answer;
}

const anyUser: fc.Arbitrary<UserLimits> = fc.record({
  maxLeverage: fc.oneof(fc.constant(null), fc.double({ min: 1, max: 125, noNaN: true })),
  accountCreatedAt: fc.oneof(
    fc.constant(null),
    fc.integer({ min: -10, max: 200 }).map((days) => NOW - days * DAY),
  ),
  ownInitialMarginRatePpm: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 1_000_000 })),
  notionalCoefMicros: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 3_000_000 })),
  experienceClass: fc.constantFrom(null, 'beginner', 'regular', 'professional', 'of another policy'),
  overrideMaxLeverage: fc.oneof(fc.constant(null), fc.double({ min: 1, max: 125, noNaN: true })),
  overrideExpiresAt: fc.constantFrom(null, NOW - DAY, NOW + DAY),
});
const anyNotional = fc.integer({ min: 0, max: 30_000_000 });
const anyLeverage = fc.double({ min: 1, max: 150, noNaN: true });

describe('a user cap', () => {
  it.each([
    ['the bracket of the notional', 60_000, OLD_USER, 25, 'BRACKET'],
    ['an edge belongs to the lower bracket', 50_000, OLD_USER, 50, 'BRACKET'],
    ['the limit of the house', 10, { ...OLD_USER, maxLeverage: 8 }, 8, 'HOUSE_LIMIT'],
    ['a new account', 10, { ...OLD_USER, accountCreatedAt: NOW - 59 * DAY }, 20, 'NEW_ACCOUNT'],
    ['an account of unknown age counts as new', 10, UNKNOWN_USER, 20, 'ACCOUNT_AGE_UNKNOWN'],
    ['the own choice', 10, { ...OLD_USER, ownInitialMarginRatePpm: 400_000 }, 2.5, 'OWN_CHOICE'],
    [
      'the coefficient of the notional',
      26_000,
      { ...OLD_USER, notionalCoefMicros: 500_000 },
      25,
      'NOTIONAL_COEF',
    ],
    [
      'the bracket where the coefficient changes nothing',
      60_000,
      { ...OLD_USER, notionalCoefMicros: 900_000 },
      25,
      'BRACKET',
    ],
    [
      'the coefficient where nothing is left',
      10_000_001,
      { ...OLD_USER, notionalCoefMicros: 500_000 },
      0,
      'NOTIONAL_COEF',
    ],
    [
      'the least where the coefficient cannot be read',
      6,
      { ...OLD_USER, notionalCoefMicros: Number.NaN },
      1,
      'NOTIONAL_COEF',
    ],
    ['a class of experience', 10, { ...OLD_USER, experienceClass: 'beginner' }, 5, 'EXPERIENCE_CLASS'],
    [
      'the tightest class where the policy does not know it',
      10,
      { ...OLD_USER, experienceClass: 'expert' },
      5,
      'EXPERIENCE_CLASS_UNKNOWN',
    ],
    [
      'an override that is in force',
      10,
      { ...OLD_USER, overrideMaxLeverage: 3, overrideExpiresAt: NOW + 1 },
      3,
      'USER_OVERRIDE',
    ],
    [
      'no override that is over',
      10,
      { ...OLD_USER, overrideMaxLeverage: 3, overrideExpiresAt: NOW },
      50,
      'BRACKET',
    ],
    [
      'no override that would loosen',
      10,
      { ...OLD_USER, maxLeverage: 2, overrideMaxLeverage: 90, overrideExpiresAt: NOW + 1 },
      2,
      'HOUSE_LIMIT',
    ],
    ['the bracket where it is lower', 6_000_000, { ...OLD_USER, maxLeverage: 8 }, 1, 'BRACKET'],
  ] as const)('is bound by %s', (_, notional, user, maxLeverage, reason) => {
    const cap = userCap(BRACKETS, notional, user, POLICY, NOW);
    expect(cap.maxLeverage).toBe(maxLeverage);
    expect(cap.bindingReason).toBe(reason);
    expect(cap.reasons[0]).toBe(reason);
  });

  it('refuses a position above the last bracket, and says so', () => {
    expect(userCap(BRACKETS, 20_000_001, OLD_USER, POLICY, NOW)).toEqual({
      maxLeverage: 0,
      initialMarginRatePpm: 1_000_000,
      bindingReason: 'NOTIONAL_ABOVE_LAST_BRACKET',
      nextReason: null,
      nextMaxLeverage: null,
      reasons: ['NOTIONAL_ABOVE_LAST_BRACKET'],
    });
  });

  it('grants more by a coefficient above 1 only where the policy lets it', () => {
    const user = { ...OLD_USER, notionalCoefMicros: 2_000_000 };
    const generous = { ...POLICY, maximumNotionalCoef: 2 };
    expect(userCap(BRACKETS, 60_000, user, POLICY, NOW).maxLeverage).toBe(25);
    expect(userCap(BRACKETS, 60_000, user, generous, NOW).maxLeverage).toBe(50);
    expect(checkOrder(BRACKETS, { notional: 60_000, leverage: 50 }, user, generous, NOW)).toMatchObject({
      allowed: true,
      maxNotional: 100_000,
    });
    expect(userCap(BRACKETS, 20_000_001, user, generous, NOW).maxLeverage).toBe(0);
    const raising = { ...generous, notionalCoefRaisesLastCap: true };
    expect(userCap(BRACKETS, 20_000_001, user, raising, NOW).maxLeverage).toBe(1);
  });

  it('ends with the age of the account, to the millisecond', () => {
    const young = { ...OLD_USER, accountCreatedAt: NOW - 60 * DAY + 1 };
    expect(userCap(BRACKETS, 10, young, POLICY, NOW).maxLeverage).toBe(20);
    expect(userCap(BRACKETS, 10, young, POLICY, NOW + 1).maxLeverage).toBe(50);
  });

  it('is the lowest of all limits, with a margin that the leverage shown never undercuts', () => {
    fc.assert(
      fc.property(anyUser, anyNotional, (user, notional) => {
        const cap = userCap(BRACKETS, notional, user, POLICY, NOW);
        const market = userCap(BRACKETS, notional, OLD_USER, POLICY, NOW);
        expect(cap.maxLeverage).toBeLessThanOrEqual(market.maxLeverage);
        expect(cap.initialMarginRatePpm).toBeGreaterThanOrEqual(market.initialMarginRatePpm);
        if (cap.maxLeverage === 0) return;
        expect(cap.maxLeverage).toBeGreaterThanOrEqual(1);
        expect(cap.maxLeverage).toBeLessThanOrEqual(user.maxLeverage ?? 1000);
        expect(leverageToMarginPpmUp(cap.maxLeverage)).toBeGreaterThanOrEqual(cap.initialMarginRatePpm);
        expect(cap.initialMarginRatePpm).toBeGreaterThanOrEqual(user.ownInitialMarginRatePpm ?? 0);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it('names what would bind next, and the leverage then', () => {
    const user = { ...OLD_USER, maxLeverage: 8, experienceClass: 'regular' };
    expect(userCap(BRACKETS, 60_000, user, POLICY, NOW)).toMatchObject({
      bindingReason: 'HOUSE_LIMIT',
      nextReason: 'EXPERIENCE_CLASS',
      nextMaxLeverage: 20,
      reasons: ['HOUSE_LIMIT', 'EXPERIENCE_CLASS', 'BRACKET'],
    });
    expect(userCap(BRACKETS, 60_000, OLD_USER, POLICY, NOW)).toMatchObject({
      nextReason: null,
      nextMaxLeverage: null,
    });
    const none = { ...POLICY, users: { ...POLICY.users, experienceClasses: [] } };
    expect(userCap(BRACKETS, 10, user, none, NOW)).toMatchObject({
      maxLeverage: 1,
      bindingReason: 'EXPERIENCE_CLASS_UNKNOWN',
      nextMaxLeverage: 8,
    });
  });

  it('counts limits that cannot be read as leverage 1', () => {
    for (const maxLeverage of [Number.NaN, 0, -5]) {
      expect(userCap(BRACKETS, 10, { ...OLD_USER, maxLeverage }, POLICY, NOW).maxLeverage).toBe(1);
    }
    const own = { ...OLD_USER, ownInitialMarginRatePpm: Number.NaN };
    expect(userCap(BRACKETS, 10, own, POLICY, NOW).maxLeverage).toBe(1);
    expect(() => userCap(BRACKETS, Number.NaN, OLD_USER, POLICY, NOW)).toThrow('cannot be checked');
  });
});

describe('an order check', () => {
  it('allows what is within the cap and says nothing against it', () => {
    expect(checkOrder(BRACKETS, { notional: 60_000, leverage: 25 }, OLD_USER, POLICY, NOW)).toEqual({
      allowed: true,
      maxLeverage: 25,
      maxNotional: 1_000_000,
      clampedLeverage: 25,
      clampedNotional: 60_000,
      reasons: [],
    });
  });

  it('names every limit that is broken, and both ways out', () => {
    const order = { notional: 60_000, leverage: 40 };
    expect(checkOrder(BRACKETS, order, OLD_USER, POLICY, NOW)).toEqual({
      allowed: false,
      maxLeverage: 25,
      maxNotional: 50_000,
      clampedLeverage: 25,
      clampedNotional: 50_000,
      reasons: ['BRACKET'],
    });
    const limited = checkOrder(BRACKETS, order, { ...UNKNOWN_USER, maxLeverage: 3 }, POLICY, NOW);
    expect(limited.reasons).toEqual(['BRACKET', 'HOUSE_LIMIT', 'ACCOUNT_AGE_UNKNOWN']);
    expect(limited.clampedLeverage).toBe(3);
    expect(limited.maxNotional).toBe(0);
  });

  it('is allowed exactly when neither clamp changes the order; each clamp alone makes it allowed', () => {
    fc.assert(
      fc.property(anyUser, anyNotional, anyLeverage, (user, notional, leverage) => {
        const check = (n: number, l: number) =>
          checkOrder(BRACKETS, { notional: n, leverage: l }, user, POLICY, NOW);
        const result = check(notional, leverage);
        expect(result.allowed).toBe(result.reasons.length === 0);
        expect(result.allowed).toBe(result.clampedLeverage === leverage);
        if (result.maxNotional > 0) {
          expect(result.allowed).toBe(result.clampedNotional === notional);
          expect(check(result.clampedNotional, leverage).allowed).toBe(true);
          expect(check(result.maxNotional + 1, leverage).allowed).toBe(false);
        } else expect(check(0, leverage).allowed).toBe(false);
        if (result.clampedLeverage > 0) {
          expect(check(notional, result.clampedLeverage).allowed).toBe(true);
        } else expect(check(notional, 1).allowed).toBe(false);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it('refuses a leverage that is not one', () => {
    for (const leverage of [0, 0.5, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => checkOrder(BRACKETS, { notional: 10, leverage }, OLD_USER, POLICY, NOW)).toThrow(
        'cannot be checked',
      );
    }
  });
});
