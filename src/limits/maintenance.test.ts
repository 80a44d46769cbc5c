import { describe, expect, it } from 'vitest';
import { maintenanceOf } from './brackets.ts';
import { decideMarket } from './decide.ts';
import { type GovernanceState, NO_GOVERNANCE } from './governance.ts';
import { asksForMore, heldMarginMicros, withTailOf } from './margin-table.ts';
import type { MarketInput } from './market-input.ts';
import type { Policy } from './policy.ts';
import { context, DECIDED_AT, EXAMPLE_POLICY, forecast, HOUR, largeMarket } from './test-inputs.ts';
import type { MarketLimit } from './types.ts';

const { governor } = EXAMPLE_POLICY;
const CALM = largeMarket();
const WORSE = largeMarket({ shockModel: forecast('m', 0.03) });
const STORM = largeMarket({ shockModel: forecast('m', 0.07) });

/** A market that is decided at one hour after another. */
function play(
  steps: readonly (readonly [hour: number, input: MarketInput, governance?: GovernanceState])[],
  policy: Policy = EXAMPLE_POLICY,
): MarketLimit[] {
  const limits: MarketLimit[] = [];
  for (const [hour, input, governance = NO_GOVERNANCE] of steps) {
    const given = context({ policy, governance, decidedAt: DECIDED_AT + hour * HOUR });
    limits.push(decideMarket(input, limits.at(-1) ?? null, given));
  }
  return limits;
}

const frozen = (hours: number | null): GovernanceState => ({
  ...NO_GOVERNANCE,
  freezes: [
    {
      id: 'freeze 1',
      symbol: null,
      reason: 'index price is disputed',
      frozenBy: 'ann',
      frozenAt: DECIDED_AT,
      expiresAt: hours === null ? null : DECIDED_AT + hours * HOUR,
    },
  ],
});
const EMERGENCY: GovernanceState = {
  ...NO_GOVERNANCE,
  emergency: {
    reason: 'a large holder is being liquidated',
    declaredBy: 'carol',
    declaredAt: DECIDED_AT,
    expiresAt: DECIDED_AT + 100 * HOUR,
  },
};

describe('open positions', () => {
  it('keep their margins when new orders have to bring more, and are told since when and until when', () => {
    const [first, worse] = play([
      [0, CALM],
      [1, WORSE],
    ]);
    expect(worse.governor.move).toBe('tighten');
    expect(maintenanceOf(worse)).toBe(first.brackets);
    expect(worse.announced).toEqual([
      {
        brackets: worse.brackets,
        announcedAt: DECIDED_AT + HOUR,
        effectiveAt: DECIDED_AT + (1 + governor.maintenanceNoticeHours) * HOUR,
      },
    ]);
    expect(worse.reasons).toContain('MAINTENANCE_ANNOUNCED');
  });

  it('are held to what was announced from the hour that was announced', () => {
    const limits = play([
      [0, CALM],
      [1, WORSE],
      [24.9, WORSE],
      [25, WORSE],
    ]);
    expect(maintenanceOf(limits[2])).toBe(limits[0].brackets);
    expect(limits[3].maintenance).toBeUndefined();
    expect(limits[3].announced).toBeUndefined();
    expect(limits[3].reasons).toContain('MAINTENANCE_RAISED');
  });

  it('get a notice of its own for each harsher table, and the sooner one is not put off', () => {
    const limits = play([
      [0, CALM],
      [1, WORSE],
      [5, STORM],
      [25, STORM],
      [29, STORM],
    ]);
    const hours = (limit: MarketLimit): number[] =>
      (limit.announced ?? []).map(({ effectiveAt }) => (effectiveAt - DECIDED_AT) / HOUR);
    expect(limits.map(hours).slice(1, 3)).toEqual([[25], [25, 29]]);
    expect(maintenanceOf(limits[3])).toEqual(limits[1].brackets);
    expect(asksForMore(maintenanceOf(limits[4]), limits[1].brackets)).toBe(true);
  });

  it('never have more than two tables announced in a storm that grows by the hour, and are not left behind for ever', () => {
    const tails = Array.from({ length: 60 }, (_, hour) => 0.023 * 1.02 ** hour);
    const limits = play(tails.map((tail, hour) => [hour, largeMarket({ shockModel: forecast('m', tail) })]));
    expect(Math.max(...limits.map(({ announced = [] }) => announced.length))).toBe(2);
    const raised = limits.filter(({ reasons }) => reasons.includes('MAINTENANCE_RAISED'));
    expect(raised.length).toBeGreaterThanOrEqual(2);
  });

  it('have an announcement withdrawn once their margins would do again, but not while anything is in doubt', () => {
    const [, , stale, calm] = play([
      [0, CALM],
      [1, WORSE],
      [2, largeMarket({ shockModel: forecast('m', 0.015), stale: true })],
      [3, CALM],
    ]);
    expect(stale.announced).toHaveLength(1);
    expect(calm.announced).toBeUndefined();
    expect(calm.governor.move).toBe('hold');
    expect(calm.maintenance).toBeDefined();
  });

  it('have an announcement brought down to what is needed, and the dead band, when a storm eases', () => {
    const [first, , eased] = play([
      [0, CALM],
      [1, STORM],
      [3, WORSE],
    ]);
    expect(eased.announced).toHaveLength(1);
    const announced = eased.announced?.[0].brackets[0].maintenanceMarginRatePpm ?? 0;
    const rate = first.brackets[0].maintenanceMarginRatePpm;
    expect(eased.governor.move).toBe('hold');
    // The forecast is 30 / 23 of what it was, in the storm three times that; the first bracket is paid for by its last position.
    expect(announced / rate).toBeGreaterThan(30 / 23);
    expect(announced / rate).toBeLessThan(1.8);
    expect(eased.brackets[0].maintenanceMarginRatePpm / rate).toBeGreaterThan(1.9);
  });

  it('are let down at once by a looser table', () => {
    const limits = play([
      [0, STORM],
      [24, CALM],
    ]);
    expect(limits[1].governor.move).toBe('loosen');
    expect(asksForMore(maintenanceOf(limits[1]), limits[1].brackets)).toBe(false);
  });

  it('are not moved by crowding, by a cap of people, or by markets in stress, which new orders pay for at once', () => {
    const crowded = largeMarket({ openInterest: { quoteNotional: 90e9, observedAt: DECIDED_AT } });
    const stressed = { markets: 40, stressedShare: 0.9, commonShock: 6, source: 'test' };
    const capped: GovernanceState = {
      ...NO_GOVERNANCE,
      overrides: [
        {
          ...{ id: '1', symbol: 'BTCUSDT', maxLeverage: 3, mayLoosen: false, reason: 'test' },
          ...{ requestedBy: 'ann', requestedAt: 0, approvedBy: null, approvedAt: null },
          expiresAt: DECIDED_AT * 2,
        },
      ],
    };
    const first = decideMarket(CALM, null, context());
    for (const [input, changes] of [
      [crowded, {}],
      [CALM, { marketWide: stressed }],
      [CALM, { governance: capped }],
    ] as const) {
      const at = context({ decidedAt: DECIDED_AT + HOUR, ...changes });
      const limit = decideMarket(input, first, at);
      expect(limit.governor.move).toBe('tighten');
      expect(limit.maintenance).toBe(first.brackets);
      expect(limit.announced).toBeUndefined();
    }
  });

  it('are not let off by a shorter table: where it ends theirs goes on', () => {
    const [first] = play([[0, CALM]]);
    const short = first.brackets.slice(0, 3).map((bracket) => bracket);
    const table = withTailOf(short, first.brackets);
    for (const notional of [1e6, 5e7, 1e8, 5e8, 1e9])
      expect(heldMarginMicros(table, notional)).toBeGreaterThanOrEqual(
        heldMarginMicros(first.brackets, notional),
      );
  });
});

describe('one decision', () => {
  it('takes leverage down by the ratio of the policy, says that more is to follow, and goes on after the pace', () => {
    const limits = play([
      [0, CALM],
      [1, STORM],
      [1.25, STORM],
      [1.5, STORM],
      [2, STORM],
    ]);
    expect(limits.map(({ governor: { publishedMaxLeverage } }) => publishedMaxLeverage)).toEqual([
      20, 10, 10, 6, 6,
    ]);
    expect(limits.map(({ governor: { paced } }) => paced ?? false)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
    expect(limits[1].reasons).toContain('GOVERNOR_PACED');
  });

  it('goes further in an emergency, and says whose', () => {
    const [, limit] = play([
      [0, CALM],
      [1, STORM, EMERGENCY],
    ]);
    expect(limit.governor.publishedMaxLeverage).toBe(6);
    expect(limit.governor.emergency).toEqual({
      reason: 'a large holder is being liquidated',
      declaredBy: 'carol',
    });
    expect(limit.reasons).toContain('GOVERNOR_EMERGENCY');
    expect(limit.announced?.[0].effectiveAt).toBe(DECIDED_AT + (1 + governor.emergencyNoticeHours) * HOUR);
  });

  it('shortens a notice that runs in an emergency only', () => {
    const [, , limit] = play([
      [0, CALM],
      [1, WORSE],
      [2, WORSE, EMERGENCY],
    ]);
    expect(limit.governor.move).toBe('hold');
    expect(limit.announced?.map(({ effectiveAt }) => effectiveAt)).toEqual([
      DECIDED_AT + (2 + governor.emergencyNoticeHours) * HOUR,
    ]);
    expect(limit.governor.emergency?.declaredBy).toBe('carol');
  });

  it('does not name an emergency that it did not need', () => {
    const [, limit] = play([
      [0, CALM],
      [1, CALM, EMERGENCY],
    ]);
    expect(limit.governor.emergency).toBeUndefined();
    expect(limit.reasons).not.toContain('GOVERNOR_EMERGENCY');
  });

  it('moves nothing in a freeze, not even what is due, and shows what the bounds ask for', () => {
    const limits = play([
      [0, CALM],
      [1, WORSE],
      [26, STORM, frozen(30)],
      [29, largeMarket({ quality: 'reject' }), frozen(30)],
      [30, WORSE, frozen(30)],
    ]);
    for (const limit of limits.slice(2, 4)) {
      expect(limit.brackets).toBe(limits[1].brackets);
      expect(limit.maintenance).toBe(limits[0].brackets);
      expect(limit.announced).toBe(limits[1].announced);
      expect(limit.governor.frozen).toEqual({
        id: 'freeze 1',
        reason: 'index price is disputed',
        frozenBy: 'ann',
        frozenAt: DECIDED_AT,
      });
      expect(limit.reasons).toContain('GOVERNOR_FROZEN');
    }
    expect(limits[2].governor.targetMaxLeverage).toBeLessThan(limits[2].governor.publishedMaxLeverage);
    expect(limits[4].reasons).toContain('MAINTENANCE_RAISED');
    expect(limits[4].governor.frozen).toBeUndefined();
  });

  it('is held by a freeze in an emergency too, and gives a new market its first table in a freeze', () => {
    const both = { ...EMERGENCY, freezes: frozen(null).freezes };
    const [first, second] = play([
      [0, CALM, both],
      [1, STORM, both],
    ]);
    expect(first.governor.move).toBe('initial');
    expect(second.brackets).toBe(first.brackets);
  });

  it('of a clock that went back loosens nothing and counts every notice from the latest time that is known', () => {
    const [, , back] = play([
      [0, STORM],
      [1, largeMarket({ shockModel: forecast('m', 0.09) })],
      [-50, largeMarket({ shockModel: forecast('m', 0.12) })],
    ]);
    expect(back.reasons).toContain('CLOCK_WENT_BACK');
    expect(back.governor.changedAt).toBe(DECIDED_AT + HOUR);
    for (const { effectiveAt } of back.announced ?? [])
      expect(effectiveAt).toBeGreaterThanOrEqual(DECIDED_AT + (1 + governor.maintenanceNoticeHours) * HOUR);
    const [, calm] = play([
      [0, STORM],
      [-1000, CALM],
    ]);
    expect(calm.governor.move).toBe('hold');
  });

  it('does not loosen a young listing, unless two people want it', () => {
    const young = largeMarket({ historyDays: 30 });
    const limits = play([
      [0, { ...STORM, historyDays: 30 }],
      [200, young],
    ]);
    expect(limits[1].governor.move).toBe('hold');
    expect(limits[1].reasons).toContain('YOUNG_LISTING');
    const override = {
      ...{ id: '1', symbol: 'BTCUSDT', maxLeverage: 15, mayLoosen: true, reason: 'test' },
      ...{ requestedBy: 'ann', requestedAt: 0, approvedBy: 'carol', approvedAt: 1 },
      expiresAt: DECIDED_AT * 2,
    };
    const [, people] = play([
      [0, { ...STORM, historyDays: 30 }],
      [200, young, { ...NO_GOVERNANCE, overrides: [override] }],
    ]);
    expect(people.governor.move).toBe('loosen');
  });
});
