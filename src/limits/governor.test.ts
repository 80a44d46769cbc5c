import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import {
  grantsMore,
  largestNotionalOf,
  maintenanceMarginMicros,
  mostConservativeBrackets,
  scheduleFaults,
} from './brackets.ts';
import { bracketsFromCurve, EDGES, type ScheduleTarget } from './cut.ts';
import { type Circumstances, type GovernedSchedule, govern, type InForce } from './governor.ts';
import { DECIDED_AT, EXAMPLE_POLICY, HOUR } from './test-inputs.ts';
import { anyTarget, targetOf } from './test-targets.ts';
import type { Bracket } from './types.ts';

const POLICY = EXAMPLE_POLICY;
const DELAY = POLICY.governor.loosenDelayHours * HOUR;
const SEEDED = { seed: 1, numRuns: 500 };

interface Moment {
  readonly target: ScheduleTarget;
  /** Hours since the moment before; negative where the clock jumps back. */
  readonly hoursLater: number;
  readonly mayLoosen: boolean;
}

const anySequence: fc.Arbitrary<readonly Moment[]> = fc
  .array(anyTarget, { minLength: 1, maxLength: 4 })
  .chain((targets) =>
    fc.array(
      fc.record({
        target: fc.constantFrom(...targets),
        hoursLater: fc.constantFrom(0, 1, 1, 12, 24, 100, -5),
        mayLoosen: fc.constantFrom(true, true, true, false),
      }),
      { minLength: 2, maxLength: 12 },
    ),
  );

const EMERGENCY: Circumstances = {
  freeze: null,
  emergency: {
    reason: 'exchange halted',
    declaredBy: 'ann',
    declaredAt: DECIDED_AT,
    expiresAt: DECIDED_AT * 2,
  },
  clockWentBack: false,
};

/** What a decision leaves to the next one. */
function leftBy(after: GovernedSchedule): InForce {
  return { ...after, changedAt: after.record.changedAt, paced: after.record.paced };
}

/** Plays a sequence and shows each decision beside what was in force before it. */
function play(
  moments: readonly Moment[],
  look: (before: InForce, after: GovernedSchedule, moment: Moment, at: number) => void,
  circumstances?: Circumstances,
): void {
  let at = DECIDED_AT;
  let inForce: InForce | null = null;
  for (const moment of moments) {
    at += moment.hoursLater * HOUR;
    const after = govern(moment.target, inForce, moment.mayLoosen, POLICY, at, circumstances);
    if (inForce !== null) look(inForce, after, moment, at);
    inForce = leftBy(after);
  }
}

/** What is granted at a notional: leverage (0 where refused) and maintenance margin in micros. */
function grantedAt(brackets: readonly Bracket[], notional: number) {
  const bracket = brackets.find(({ notionalCap }) => notional <= notionalCap);
  if (bracket === undefined) return { leverage: 0, margin: Number.POSITIVE_INFINITY };
  return { leverage: bracket.maxLeverage, margin: maintenanceMarginMicros(bracket, notional) };
}

describe('the governor, over random sequences of targets and times', () => {
  it('publishes only schedules that keep every invariant', () => {
    fc.assert(
      fc.property(anySequence, (moments) => {
        play(moments, (_, { brackets }) => {
          expect(scheduleFaults(brackets)).toEqual([]);
          expect(brackets.length).toBeLessThanOrEqual(POLICY.maximumBrackets);
        });
      }),
      SEEDED,
    );
  });

  it('delays no tightening in an emergency: the margins of the target are asked for at every notional', () => {
    fc.assert(
      fc.property(anySequence, (moments) => {
        play(
          moments,
          (_, { brackets }, { target }) => {
            const { curve } = target;
            if (curve.initial(EDGES[0]) > 1) {
              expect(brackets).toEqual(mostConservativeBrackets());
              return;
            }
            expect(largestNotionalOf(brackets)).toBeLessThanOrEqual(
              Math.max(target.largestNotional, EDGES[0]),
            );
            for (const notional of [...EDGES, ...curve.kinks]) {
              const { leverage, margin } = grantedAt(brackets, notional);
              if (leverage === 0) break;
              expect(leverage * curve.initial(notional)).toBeLessThanOrEqual(1);
              expect(margin / 1e6).toBeGreaterThanOrEqual(
                notional * (curve.maintenance(notional) * (1 - 1e-12) - 2e-12),
              );
            }
          },
          EMERGENCY,
        );
      }),
      SEEDED,
    );
  });

  it('loosens nowhere before the delay is over, in doubt, or when the clock has jumped back', () => {
    fc.assert(
      fc.property(anySequence, (moments) => {
        play(moments, (before, { brackets, record }, { mayLoosen }, at) => {
          if (mayLoosen && at - before.changedAt >= DELAY) return;
          expect(grantsMore(brackets, before.brackets)).toBe(false);
          expect(record.move).not.toBe('loosen');
        });
      }),
      SEEDED,
    );
  });

  it('loosens by one step at most, at every notional', () => {
    const ratio = POLICY.governor.loosenMaximumRatio;
    fc.assert(
      fc.property(anySequence, (moments) => {
        play(moments, (before, { brackets }) => {
          const capBefore = largestNotionalOf(before.brackets);
          const nextEdge = EDGES.find((edge) => edge > capBefore) ?? capBefore;
          expect(largestNotionalOf(brackets)).toBeLessThanOrEqual(Math.max(capBefore * ratio, nextEdge));
          for (const notional of EDGES) {
            const was = grantedAt(before.brackets, notional);
            const is = grantedAt(brackets, notional);
            const nextRung = POLICY.leverageLadder.findLast((rung) => rung > was.leverage) ?? was.leverage;
            expect(is.leverage).toBeLessThanOrEqual(Math.max(was.leverage * ratio, nextRung));
            if (was.leverage > 0) expect(is.margin).toBeGreaterThanOrEqual(was.margin / ratio);
          }
        });
      }),
      SEEDED,
    );
  });

  it('is idempotent: the same target at the same time changes nothing, to the bit', () => {
    fc.assert(
      fc.property(anySequence, (moments) => {
        play(moments, (_, after, { target, mayLoosen }, at) => {
          const { brackets, record } = after;
          if (record.changedAt !== at) return;
          const again = govern(target, leftBy(after), mayLoosen, POLICY, at);
          expect(again.brackets).toBe(brackets);
          expect(again.record.move).toBe('hold');
          expect(again.record.changedAt).toBe(record.changedAt);
        });
      }),
      SEEDED,
    );
  });

  it('never ratchets: repeating the target of a whole tightening does not tighten on', () => {
    fc.assert(
      fc.property(anySequence, (moments) => {
        play(
          moments,
          (_, after, { target }, at) => {
            let inForce = leftBy(after);
            for (let hour = 1; hour <= 5; hour++) {
              const next = govern(target, inForce, false, POLICY, at + hour * HOUR);
              expect(next.brackets).toBe(after.brackets);
              inForce = leftBy(next);
            }
          },
          EMERGENCY,
        );
      }),
      SEEDED,
    );
  });

  it('comes pace by pace to where there is nothing left to tighten', () => {
    const pace = POLICY.governor.tightenPaceHours * HOUR;
    fc.assert(
      fc.property(anySequence, (moments) => {
        play(moments, (_, after, { target }, at) => {
          let current = after;
          let later = Math.max(at, after.record.changedAt);
          for (let step = 0; current.record.paced === true && step < 40; step++) {
            later += pace;
            const next = govern(target, leftBy(current), false, POLICY, later);
            if (next.record.move === 'hold') break;
            current = next;
          }
          const once = govern(target, leftBy(current), false, POLICY, later, EMERGENCY);
          expect(once.brackets).toBe(current.brackets);
        });
      }),
      { ...SEEDED, numRuns: 200 },
    );
  });

  it('says hold exactly when the schedule stays the same', () => {
    fc.assert(
      fc.property(anySequence, (moments) => {
        play(moments, (before, { brackets, record }, _, at) => {
          expect(record.move === 'hold').toBe(brackets === before.brackets);
          if (record.move === 'hold') expect(record.changedAt).toBe(before.changedAt);
          else expect(record.changedAt).toBe(Math.max(at, before.changedAt));
          expect(record.looseningAllowedAt).toBe(record.changedAt + DELAY);
        });
      }),
      SEEDED,
    );
  });

  it('reaches a target that stays, up to the dead band', () => {
    fc.assert(
      fc.property(anyTarget, anyTarget, (first, target) => {
        const wanted = bracketsFromCurve(target, POLICY);
        let at = DECIDED_AT;
        let current = govern(first, null, true, POLICY, at);
        for (let step = 0; step < 200; step++) {
          at += DELAY;
          current = govern(target, leftBy(current), true, POLICY, at);
          if (current.record.move === 'hold') break;
        }
        expect(current.record.move).toBe('hold');
        // What is left to gain is gone when the margins are raised by the dead band.
        const ratio = POLICY.governor.deadBandRatio;
        const top = current.brackets[0];
        if (top.maxLeverage < wanted[0].maxLeverage) {
          const nextRung = POLICY.leverageLadder.findLast((rung) => rung > top.maxLeverage) ?? 1;
          expect(nextRung * ratio * target.curve.initial(top.notionalCap)).toBeGreaterThan(1);
        }
        const cap = largestNotionalOf(current.brackets);
        if (cap < largestNotionalOf(wanted)) {
          const nextEdge = EDGES.find((edge) => edge > cap) ?? cap;
          const isInReach = nextEdge <= target.largestNotional / ratio;
          expect(isInReach && ratio * target.curve.initial(nextEdge) <= 1).toBe(false);
        }
      }),
      SEEDED,
    );
  });
});

describe('the governor, step by step', () => {
  const liquidity = { hourlyVolume: 500e6, dailyVolatility: 0.03 };
  const withTail = (hourly: number): ScheduleTarget =>
    targetOf(
      {
        valueAtRiskByHorizon: Float64Array.of(hourly, 2 * hourly, 2.83 * hourly, 4.9 * hourly),
        marginCallShortfall: 2 * hourly,
        shortfallSide: 0,
      },
      liquidity,
      POLICY,
    );
  const calm = withTail(0.02);
  const storm = withTail(0.06);

  it('halves the leverage at once in a storm and comes back in steps of at most a rung or a quarter a day', () => {
    const first = govern(calm, null, true, POLICY, DECIDED_AT);
    const inStorm = govern(storm, leftBy(first), true, POLICY, DECIDED_AT + HOUR);
    const path = [first.record.publishedMaxLeverage, inStorm.record.publishedMaxLeverage];
    let current = inStorm;
    for (let hour = 2; hour < 24 * 8; hour++) {
      current = govern(calm, leftBy(current), true, POLICY, DECIDED_AT + hour * HOUR);
      if (current.record.move !== 'hold') path.push(current.record.publishedMaxLeverage);
    }
    expect(path.slice(0, 5)).toEqual([20, 10, 12, 15, 20]);
    expect(current.record.move).toBe('hold');
    expect(current.brackets[0]).toEqual(first.brackets[0]);
    expect(largestNotionalOf(current.brackets)).toBe(largestNotionalOf(first.brackets));
  });

  it('does not loosen for a gain inside the dead band', () => {
    const first = govern(withTail(0.0201), null, true, POLICY, DECIDED_AT);
    const later = govern(withTail(0.02), leftBy(first), true, POLICY, DECIDED_AT + 10 * DELAY);
    expect(later.brackets).toBe(first.brackets);
  });

  it('settles under noise: a target that trembles is met by few changes and no ratchet', () => {
    const random = new Random(1);
    let current = govern(calm, null, true, POLICY, DECIDED_AT);
    let changes = 0;
    const hours = 60 * 24;
    for (let hour = 1; hour <= hours; hour++) {
      const target = withTail(0.02 * (1 + 0.01 * random.normal()));
      current = govern(target, leftBy(current), true, POLICY, DECIDED_AT + hour * HOUR);
      if (current.record.move !== 'hold') changes++;
    }
    expect(changes).toBeLessThan(40);
    // The worst of the trembling is 4 % above the calm: one rung at most, and margins not more than a tenth higher.
    expect(current.record.publishedMaxLeverage).toBeGreaterThanOrEqual(15);
    const rate = current.brackets[0].maintenanceMarginRatePpm;
    expect(rate).toBeLessThan(1.1 * 23_409);
  });
});
