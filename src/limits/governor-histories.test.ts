import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideMarket } from './decide.ts';
import { NO_GOVERNANCE } from './governance.ts';
import { GovernedMarket, type Happening, LOSABLE, randomHistory } from './test-governed-market.ts';
import { context, DECIDED_AT, EXAMPLE_POLICY, HOUR, largeMarket } from './test-inputs.ts';
import { stepFaults } from './test-step-checker.ts';
import type { MarketLimit } from './types.ts';

/** What the model knows of the market: that it exists. The judge knows the rules. */
type Model = Record<string, never>;

class Happens implements fc.Command<Model, GovernedMarket> {
  readonly #happening: Happening;

  constructor(happening: Happening) {
    this.#happening = happening;
  }

  check(): boolean {
    return true;
  }

  run(_: Model, market: GovernedMarket): void {
    expect(market.happens(this.#happening)).toEqual([]);
  }

  toString(): string {
    return JSON.stringify(this.#happening);
  }
}

const ratio = fc.constantFrom(1.1, 1.25, 2, 4);
const hours = fc.constantFrom(0, 0.5, 1, 6, 24, 48);
const happenings: fc.Arbitrary<Happening>[] = [
  fc.record({
    kind: fc.constant('decide' as const),
    hoursLater: fc.constantFrom(0, 0.1, 0.5, 1, 1, 6, 24, 24, 100, -0.5, -30),
  }),
  fc.record({
    kind: fc.constant('market' as const),
    tail: fc.constantFrom(0.004, 0.01, 0.02, 0.021, 0.06, 0.15, 0.6),
    volume: fc.constantFrom(1e3, 1e5, 5e7, 5e8, 5e10),
    openInterest: fc.constantFrom(null, 1e9, 6e10, 3e11),
  }),
  fc.record({ kind: fc.constantFrom('lose' as const, 'find', 'find'), what: fc.constantFrom(...LOSABLE) }),
  fc.record({
    kind: fc.constant('freeze' as const),
    all: fc.boolean(),
    hours: fc.constantFrom(null, 1, 30),
  }),
  fc.record({
    kind: fc.constant('override' as const),
    maxLeverage: fc.constantFrom(1, 3, 10, 60),
    mayLoosen: fc.boolean(),
    hours: fc.constantFrom(1, 30),
  }),
  fc.record({ kind: fc.constant('emergency' as const), hours: fc.constantFrom(1, 30) }),
  fc.record({ kind: fc.constantFrom('thaw' as const, 'calm') }),
  fc
    .record({
      tighten: ratio,
      loosen: ratio,
      pace: hours,
      delay: hours,
      notice: hours,
      hurry: hours,
      band: ratio,
    })
    .map(({ tighten, loosen, pace, delay, notice, hurry, band }) => ({
      kind: 'policy' as const,
      maximumLeverage: 100,
      governor: {
        tightenMaximumRatio: tighten,
        loosenMaximumRatio: loosen,
        tightenPaceHours: pace,
        loosenDelayHours: delay,
        deadBandRatio: Math.min(band, loosen),
        maintenanceNoticeHours: notice,
        emergencyNoticeHours: Math.min(hurry, notice),
      },
    })),
];

describe('every step is within policy', () => {
  it('in any history of targets, policies, clocks and operators', () => {
    const [decisions, ...others] = happenings.map((one) => one.map((happening) => new Happens(happening)));
    fc.assert(
      fc.property(
        fc.commands([decisions, decisions, decisions, ...others], { maxCommands: 60, size: 'max' }),
        (commands) => fc.modelRun(() => ({ model: {}, real: new GovernedMarket() }), commands),
      ),
      { seed: 5, numRuns: 60 },
    );
  });

  // Each comes to something rare: two tables that differ by a rounding, a table that ends where another goes on, a bracket
  // that is split where it may just double.
  it.each([102, 262, 277, 686, 1207, 2591, 4778])('in the long history %i', (history) => {
    for (const { faults } of randomHistory(history, 200)) expect(faults).toEqual([]);
  });
});

describe('the judge', () => {
  const given = context();
  const first = decideMarket(largeMarket(), null, given);
  const judged = (after: MarketLimit, before = first): string[] =>
    stepFaults(before, after, {
      policy: EXAMPLE_POLICY,
      governance: NO_GOVERNANCE,
      decidedAt: DECIDED_AT + HOUR,
      clockWentBack: false,
      isInDoubt: false,
    });
  const held = decideMarket(largeMarket(), first, context({ decidedAt: DECIDED_AT + HOUR }));

  const cheaper = first.brackets.map((bracket) => ({
    ...bracket,
    maintenanceMarginRatePpm: bracket.maintenanceMarginRatePpm - 1,
  }));

  it.each<[string, Partial<MarketLimit>, string]>([
    [
      'a jump of the margin',
      { brackets: first.brackets.with(1, { ...first.brackets[1], maintenanceAmountMicros: 1 }) },
      'jumps',
    ],
    [
      'a move that nobody recorded',
      {
        brackets: first.brackets
          .slice(0, -1)
          .with(-1, { ...first.brackets[6], maxLeverage: 1, initialMarginRatePpm: 1e6 }),
      },
      'the move is not what happened',
    ],
    [
      'a raise without notice',
      { maintenance: [{ ...first.brackets[0], maintenanceMarginRatePpm: 30_000 }] },
      'without notice',
    ],
    [
      'a table that is dearer than for new orders',
      { maintenance: [{ ...first.brackets[0], maintenanceMarginRatePpm: 30_000 }] },
      'asks for more than new orders',
    ],
    [
      'positions that are let off',
      { maintenance: [{ ...first.brackets[0], maintenanceMarginRatePpm: 3000 }] },
      'let off',
    ],
    [
      'an announcement that asks for less than what is in force',
      { announced: [{ brackets: cheaper, effectiveAt: DECIDED_AT + 30 * HOUR, announcedAt: DECIDED_AT }] },
      'asks for less than a sooner one at',
    ],
    ['a wrong time', { governor: { ...held.governor, changedAt: 5 } }, 'time of the last change'],
    ['a reason without a record', { reasons: [...held.reasons, 'GOVERNOR_FROZEN'] }, 'disagree'],
  ])('sees %s', (_, changes, fault) => {
    expect(judged(held)).toEqual([]);
    expect(judged({ ...held, ...changes }).join()).toContain(fault);
  });

  it('sees a loosening before its time, and a tightening beyond the floor', () => {
    const storm = decideMarket(
      largeMarket({
        historical: { ...largeMarket().historical, valueAtRisk: new Float64Array(32).fill(0.3) },
      }),
      null,
      given,
    );
    expect(judged({ ...first, governor: { ...first.governor, move: 'loosen' } }, storm).join()).toContain(
      'before the delay',
    );
    expect(judged({ ...storm, governor: { ...storm.governor, move: 'tighten' } }).join()).toContain(
      'leverage fell',
    );
  });
});
