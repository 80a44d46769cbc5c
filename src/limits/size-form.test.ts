import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bracketFor,
  largestNotionalOf,
  maintenanceMarginMicros,
  mostConservativeBrackets,
} from './brackets.ts';
import { bracketsFromCurve } from './cut.ts';
import { DEFAULT_POLICY } from './policy.ts';
import {
  SIZE_FORM_KINDS,
  type SizeForm,
  type SizeRate,
  sizeFormOf,
  sizeRatePpm,
  usualLargestNotional,
} from './size-form.ts';
import { anyLiquidity, anyPolicy, anyProfile, targetOf } from './test-targets.ts';
import type { Bracket } from './types.ts';

const anySchedule = fc
  .record({ profile: anyProfile, liquidity: anyLiquidity, policy: anyPolicy })
  .map(({ profile, liquidity, policy }) => {
    const target = targetOf(profile, liquidity, policy);
    return { target, brackets: bracketsFromCurve(target, policy) };
  });
const anyKind = fc.constantFrom(...SIZE_FORM_KINDS);
const anyShare = fc.oneof(
  fc.integer({ min: 1, max: 1000 }).map((thousandths) => thousandths / 1000),
  fc.double({ min: -14, max: 0, noNaN: true }).map((exponent) => Math.exp(exponent)),
);
const SEEDED = { seed: 91, numRuns: 1000 };

/** Notionals at which a form is nearest to a schedule: edges, both sides of them, and between. */
function notionals(brackets: readonly Bracket[], most: number, shares: readonly number[]): number[] {
  return [
    ...brackets.flatMap(({ notionalCap }) => [notionalCap - 1, notionalCap, notionalCap + 1]),
    ...shares.map((share) => Math.ceil(share * most)),
  ].filter((notional) => notional >= 1 && notional <= most);
}

/** Whether the rates asked for cover the schedule, exactly: in whole ppm rounding up hides nothing that is below. */
function covers(form: SizeForm, brackets: readonly Bracket[], at: readonly number[]): boolean {
  return at.every((notional) => {
    const bracket = bracketFor(brackets, notional) as Bracket;
    const initial = sizeRatePpm(form.kind, form.initial, notional);
    const maintenance = sizeRatePpm(form.kind, form.maintenance, notional);
    return (
      initial >= bracket.initialMarginRatePpm &&
      BigInt(maintenance) * BigInt(notional) >= BigInt(maintenanceMarginMicros(bracket, notional))
    );
  });
}

/** The rate before it is rounded up, in floating point. */
function rateOf(form: SizeForm, { baseRatePpm, factor }: SizeRate, notional: number): number {
  const base = baseRatePpm / 1e6;
  const slope = Number(factor) / 1e18;
  if (form.kind === 'square-root') return Math.max(base, 0.8 * base + slope * Math.sqrt(notional));
  return base + slope * notional;
}

describe('a continuous form of a schedule', () => {
  it('never asks for less than the schedule, nor than the margin curve, up to its largest notional', () => {
    fc.assert(
      fc.property(
        anySchedule,
        anyKind,
        anyShare,
        fc.array(anyShare),
        ({ brackets, target }, kind, reach, shares) => {
          const most = Math.ceil(reach * largestNotionalOf(brackets));
          const form = sizeFormOf(brackets, kind, most);
          const at = notionals(brackets, most, shares);
          expect(covers(form, brackets, at)).toBe(true);
          if (JSON.stringify(brackets) === JSON.stringify(mostConservativeBrackets())) return;
          for (const notional of at) {
            expect(rateOf(form, form.initial, notional)).toBeGreaterThanOrEqual(
              target.curve.initial(notional) * (1 - 1e-9),
            );
            expect(rateOf(form, form.maintenance, notional)).toBeGreaterThanOrEqual(
              target.curve.maintenance(notional) * (1 - 1e-9) - 1e-11,
            );
          }
        },
      ),
      SEEDED,
    );
  });

  it('keeps maintenance margin at 0.75 of the initial one at most, and both rise with the notional', () => {
    fc.assert(
      fc.property(anySchedule, anyKind, anyShare, anyShare, ({ brackets }, kind, reach, share) => {
        const form = sizeFormOf(brackets, kind, Math.ceil(reach * largestNotionalOf(brackets)));
        const notional = share * form.largestNotional;
        const initial = rateOf(form, form.initial, notional);
        expect(rateOf(form, form.maintenance, notional)).toBeLessThanOrEqual(0.75 * initial * (1 + 1e-12));
        expect(initial).toBeLessThanOrEqual(rateOf(form, form.initial, form.largestNotional));
      }),
      SEEDED,
    );
  });

  it('has the smallest parameters: with any of them lower it does not cover the schedule', () => {
    fc.assert(
      fc.property(anySchedule, anyKind, ({ brackets }, kind) => {
        const form = sizeFormOf(brackets, kind, usualLargestNotional(brackets));
        const { baseRatePpm } = form.initial;
        // The base is the rate of the smallest position; a flat one that of the largest.
        const at = kind === 'flat' ? form.largestNotional : 1;
        const asked = bracketFor(brackets, at) as Bracket;
        expect(baseRatePpm).toBe(asked.initialMarginRatePpm);
        if (form.maintenance.factor > 0n) {
          // A tenth of a percent less is below the margin of the schedule somewhere near where it touches.
          const lower = { ...form.maintenance, factor: (form.maintenance.factor * 999n) / 1000n };
          const touching = touchingPoints(form, brackets);
          expect(
            touching.some((n) => {
              const bracket = bracketFor(brackets, n) as Bracket;
              return rateOf(form, lower, n) * n * 1e6 < maintenanceMarginMicros(bracket, n);
            }),
          ).toBe(true);
        }
      }),
      { ...SEEDED, numRuns: 500 },
    );
  });

  it.each([
    // Initial: 0.8 · 2 % + f · √1,000,000 = 4 %. Maintenance, with a = 10,000 and p = 2 % − 0.8 · 1 %: f = √(4p³ / 27a).
    [
      'square-root',
      { baseRatePpm: 20_000, factor: 24_000_000_000_000n },
      { baseRatePpm: 10_000, factor: 5_059_644_256_270n },
    ],
    // 2 % + f · 1,000,000 = 4 %. Maintenance, with p = 2 % − 1 %: f = p² / 4a.
    [
      'linear',
      { baseRatePpm: 20_000, factor: 20_000_000_000n },
      { baseRatePpm: 10_000, factor: 2_500_000_000n },
    ],
    // 5,000,000 · 2 % − 10,000 is 1.8 %.
    ['flat', { baseRatePpm: 40_000, factor: 0n }, { baseRatePpm: 18_000, factor: 0n }],
  ] as const)('%s of two brackets is worked out by hand', (kind, initial, maintenance) => {
    const form = sizeFormOf(TWO, kind, usualLargestNotional(TWO));
    expect(form).toMatchObject({ kind, largestNotional: 5_000_000, initial, maintenance });
  });

  it('at the smallest schedule asks for all of the notional at once', () => {
    for (const kind of SIZE_FORM_KINDS) {
      const brackets = mostConservativeBrackets();
      expect(sizeFormOf(brackets, kind, usualLargestNotional(brackets))).toEqual({
        kind,
        largestNotional: 1000,
        initial: { baseRatePpm: 1_000_000, factor: 0n },
        maintenance: { baseRatePpm: 750_000, factor: 0n },
      });
    }
  });

  it('covers less and asks for less where it need not reach far', () => {
    const policy = DEFAULT_POLICY;
    const profile = {
      valueAtRiskByHorizon: Float64Array.of(0.023, 0.046, 0.065, 0.11),
      marginCallShortfall: 0.045,
      shortfallSide: 0,
    };
    const brackets = bracketsFromCurve(
      targetOf(profile, { hourlyVolume: 500e6, dailyVolatility: 0.03 }, policy),
      policy,
    );
    const near = sizeFormOf(brackets, 'square-root', 60_000_000);
    const far = sizeFormOf(brackets, 'square-root', usualLargestNotional(brackets));
    expect(near.maintenance.factor).toBeLessThan(far.maintenance.factor);
  });
});

const TWO: readonly Bracket[] = [
  [1_000_000, 50, 10_000],
  [5_000_000, 25, 20_000],
  [10_000_000, 1, 500_000],
].reduce<Bracket[]>((brackets, [cap, leverage, rate]) => {
  const before = brackets.at(-1);
  const floor = before?.notionalCap ?? 0;
  brackets.push({
    bracket: brackets.length + 1,
    notionalFloor: floor,
    notionalCap: cap,
    maxLeverage: leverage,
    initialMarginRatePpm: 1e6 / leverage,
    maintenanceMarginRatePpm: rate,
    maintenanceAmountMicros:
      (before?.maintenanceAmountMicros ?? 0) + floor * (rate - (before?.maintenanceMarginRatePpm ?? 0)),
  });
  return brackets;
}, []);

/** Where the form may touch the schedule: ends of brackets, and the peaks of what they need between. */
function touchingPoints(
  { kind, maintenance, largestNotional }: SizeForm,
  brackets: readonly Bracket[],
): number[] {
  return brackets
    .slice(1)
    .flatMap(({ notionalFloor, notionalCap, maintenanceMarginRatePpm, maintenanceAmountMicros }) => {
      const cap = Math.min(notionalCap, largestNotional);
      if (cap <= notionalFloor) return [];
      const base = maintenance.baseRatePpm;
      const peak =
        kind === 'linear'
          ? (2 * maintenanceAmountMicros) / (maintenanceMarginRatePpm - base)
          : (3 * maintenanceAmountMicros) / (maintenanceMarginRatePpm - 0.8 * base);
      // Whole notionals beside the floor, since the floor itself is in the bracket below.
      return [notionalFloor + 1, Math.min(Math.max(peak, notionalFloor + 1), cap), cap];
    });
}
