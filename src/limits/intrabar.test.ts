import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { grantsMore, scheduleFaults } from './brackets.ts';
import { bookHashHolds } from './chain.ts';
import { decideBook, decideMarket } from './decide.ts';
import { DEFAULT_GUARD_POLICY, guardPolicyFaults } from './guard-policy.ts';
import { allowedExcursion, guardedSides, guardState, intrabarMove, publishedSides } from './intrabar.ts';
import type { IntrabarInput } from './market-input.ts';
import { DEFAULT_POLICY, type Policy } from './policy.ts';
import { AXES, absent, context, DECIDED_AT, forecast, HOUR, largeMarket } from './test-inputs.ts';
import type { MarketLimit } from './types.ts';

const AS_OF = DECIDED_AT - HOUR;
const MINUTE = 60_000;
/** VaR 99.5 % of the market of these tests over one hour: longs 2.3 %, shorts 0.9 times that. */
const HOURLY = 0.023;

/** Prices around a close of 100, ten minutes after it. */
function prices(
  lowestPrice: number,
  highestPrice = 100,
  changes: Partial<IntrabarInput> = {},
): IntrabarInput {
  const at = AS_OF + 10 * MINUTE;
  return {
    ...{ since: AS_OF, referencePrice: 100 },
    ...{ lowestPrice, lowestAt: at, highestPrice, highestAt: at },
    ...changes,
  };
}

function decided(
  intrabar: IntrabarInput | undefined,
  previous: MarketLimit | null = null,
  policy = DEFAULT_POLICY,
) {
  return decideMarket(
    largeMarket({ intrabar }),
    previous,
    context({ policy, decidedAt: AS_OF + 10 * MINUTE }),
  );
}

describe('what a forecast allows', () => {
  const sides = guardedSides(forecast('any', HOURLY).valueAtRisk, AXES, DEFAULT_GUARD_POLICY);

  test('grows with the square root of time, from a quarter of an hour on', () => {
    const allowed = (hours: number) =>
      allowedExcursion(hours, sides.long, AXES.horizonsHours, DEFAULT_GUARD_POLICY);
    // By hand: 2.3 % · √¼, 2.3 % · √½, 2.3 %, 2.3 % · √4.
    expect(allowed(0)).toBeCloseTo(0.0115, 12);
    expect(allowed(0.25)).toBeCloseTo(0.0115, 12);
    expect(allowed(0.5)).toBeCloseTo(0.016263455967, 12);
    expect(allowed(1)).toBeCloseTo(0.023, 12);
    expect(allowed(4)).toBeCloseTo(0.046, 12);
    for (let minutes = 0; minutes < 600; minutes++)
      expect(allowed((minutes + 1) / 60)).toBeGreaterThanOrEqual(allowed(minutes / 60));
  });

  test('of a market without any forecast move is a hundredth of a percent, and no division by zero', () => {
    expect(allowedExcursion(1, new Float64Array(4), AXES.horizonsHours, DEFAULT_GUARD_POLICY)).toBe(1e-4);
  });

  test('the lowest price is held against longs, the highest against shorts, each at its own time', () => {
    const move = (input: IntrabarInput) =>
      intrabarMove(input, sides, AXES.horizonsHours, DEFAULT_GUARD_POLICY);
    const down = move(prices(97.7));
    expect(down).toMatchObject({ side: 'long' });
    // 2.3 % within a quarter of an hour is twice the 1.15 % that are allowed.
    expect([down.excursion, down.ratio].map((value) => value.toFixed(9))).toEqual([
      '0.023000000',
      '2.000000000',
    ]);
    const late = prices(97.7, 102.3, { highestAt: AS_OF + HOUR });
    expect(move(late)).toMatchObject({ side: 'long' });
    const up = move(prices(99, 102.3));
    expect(up.side).toBe('short');
    expect(up.ratio).toBeCloseTo(0.023 / (0.0115 * 0.9), 9);
  });

  test('is the same from the published forecast as from the one that decides', () => {
    const limit = decided(undefined);
    expect(publishedSides(limit.forecasts, DEFAULT_GUARD_POLICY)).toEqual(sides);
    expect(publishedSides([], DEFAULT_GUARD_POLICY)).toBeNull();
  });
});

describe('a market between two bars', () => {
  const before = decided(undefined);

  test('does not move while prices stay in bounds, and shows how far they are', () => {
    const after = decided(prices(99, 101), before);
    expect(after.brackets).toBe(before.brackets);
    expect(after.boundState?.intrabar).toBeUndefined();
    const bound = after.bounds.find(({ name }) => name === 'intrabar');
    expect(bound).toMatchObject({ available: true, maxLeverage: null });
    expect(bound?.evidence.ratio).toBeCloseTo(0.01 / (0.0115 * 0.9), 9);
  });

  test('asks for as many times the margin as the move is of its bound', () => {
    const after = decided(prices(97.7), before);
    const [shock, intrabar] = ['shockModel', 'intrabar'].map((name) =>
      after.bounds.find((bound) => bound.name === name),
    );
    expect((shock?.maxLeverage ?? 0) / (intrabar?.maxLeverage ?? 1)).toBeCloseTo(2, 9);
    expect(after.boundState?.intrabar).toMatchObject({ since: AS_OF });
    expect(after.boundState?.intrabar?.ratio).toBeCloseTo(2, 9);
    expect(after.reasons).toContain('INTRABAR_GUARD');
    expect(after.reasons).toContain('GOVERNOR_TIGHTENED');
    expect(after.brackets[0].maxLeverage).toBeLessThan(before.brackets[0].maxLeverage);
    expect(scheduleFaults(after.brackets)).toEqual([]);
  });

  test('is raised up to the factor of the policy, but always covers the move itself', () => {
    const leverage = (lowest: number, guard: Partial<Policy['guard']>): number =>
      decided(prices(lowest), before, {
        ...DEFAULT_POLICY,
        guard: { ...DEFAULT_GUARD_POLICY, ...guard },
      }).bounds.find(({ name }) => name === 'intrabar')?.maxLeverage ?? 0;
    const shock = before.bounds.find(({ name }) => name === 'shockModel')?.maxLeverage ?? 0;
    // 9 % are 7.8 times what is allowed; four times the margin of 4.56 % is 18 %.
    expect(leverage(91, {})).toBeCloseTo(shock / 4, 9);
    // Twice the margin is 9.1 %: the move itself, 30 %, is more.
    expect(leverage(70, { maximumFactor: 2 })).toBeCloseTo(1 / 0.3, 9);
    expect(leverage(70, { maximumFactor: 2, coverRatio: 0 })).toBeCloseTo(shock / 2, 9);
    expect(leverage(1, { maximumFactor: 1000 })).toBe(1);
  });

  test('stays tight when prices come back or are lost, until a later bar has closed', () => {
    const tight = decided(prices(97.7), before);
    for (const later of [prices(99.9), undefined]) {
      const after = decided(later, tight);
      expect(after.boundState?.intrabar).toEqual(tight.boundState?.intrabar);
      expect(after.brackets).toEqual(tight.brackets);
      expect(after.reasons).toContain('INTRABAR_GUARD');
    }
    const next = decideMarket(largeMarket({ asOf: DECIDED_AT }), tight, context({ decidedAt: DECIDED_AT }));
    expect(next.boundState?.intrabar).toBeUndefined();
    expect(next.reasons).not.toContain('INTRABAR_GUARD');
    const back = decideMarket(largeMarket({ asOf: AS_OF - HOUR }), tight, context());
    expect(back.boundState?.intrabar?.ratio).toBe(tight.boundState?.intrabar?.ratio);
  });

  test('does not loosen while the guard holds, however long ago the last change was', () => {
    const policy = { ...DEFAULT_POLICY, governor: { ...DEFAULT_POLICY.governor, loosenDelayHours: 0 } };
    const tight = decideMarket(
      largeMarket({ shockModel: forecast('shock-network@test', 0.1), intrabar: prices(85) }),
      null,
      context({ policy }),
    );
    const held = decideMarket(largeMarket(), tight, context({ policy, decidedAt: DECIDED_AT + 5 * MINUTE }));
    expect(grantsMore(held.brackets, tight.brackets)).toBe(false);
    const free = decideMarket(
      largeMarket({ asOf: DECIDED_AT }),
      tight,
      context({ policy, decidedAt: DECIDED_AT + 5 * MINUTE }),
    );
    expect(grantsMore(free.brackets, tight.brackets)).toBe(true);
  });

  test('ignores prices that cannot be, or that follow another bar', () => {
    const wrong: readonly Partial<IntrabarInput>[] = [
      { since: AS_OF - HOUR },
      { lowestPrice: 0 },
      { lowestPrice: Number.NaN },
      { highestPrice: Number.POSITIVE_INFINITY },
      { referencePrice: -1 },
      { lowestPrice: 101 },
      { lowestAt: AS_OF - 1 },
      { highestAt: Number.NaN },
    ];
    for (const changes of wrong) {
      const after = decided(prices(50, 100, changes), before);
      expect([changes, after.brackets === before.brackets]).toEqual([changes, true]);
      expect(after.bounds.find(({ name }) => name === 'intrabar')?.available).toBe(false);
    }
  });

  test('without any forecast has nothing that a move could leave', () => {
    const nothing = absent('none', 'no history');
    const input = largeMarket({
      shockModel: nothing,
      historical: nothing,
      filtered: nothing,
      intrabar: prices(50),
    });
    const bound = decideMarket(input, null, context()).bounds.find(({ name }) => name === 'intrabar');
    expect(bound).toMatchObject({ available: false, unavailableReason: 'nothing is forecast' });
  });

  test('in bounds changes nothing, out of bounds loosens nothing, whatever the forecasts and the book before', () => {
    const price = fc.oneof(
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
      fc.double({ min: 98, max: 102, noNaN: true }),
    );
    const tail = fc.double({ min: 1e-4, max: 0.5, noNaN: true });
    const seen = { inBounds: 0, outOfBounds: 0 };
    fc.assert(
      fc.property(price, price, tail, tail, (a, b, now, then) => {
        const intrabar = prices(Math.min(a, b), Math.max(a, b));
        const before = decideMarket(largeMarket({ shockModel: forecast('any', then) }), null, context());
        const input = largeMarket({ shockModel: forecast('any', now) });
        const late = context({ decidedAt: DECIDED_AT + 48 * HOUR });
        const after = decideMarket({ ...input, intrabar }, before, late);
        const isOut = after.boundState?.intrabar !== undefined;
        seen[isOut ? 'outOfBounds' : 'inBounds']++;
        if (isOut) expect(grantsMore(after.brackets, before.brackets)).toBe(false);
        else expect(after.brackets).toEqual(decideMarket(input, before, late).brackets);
      }),
      { seed: 20240601, numRuns: 300 },
    );
    expect(Math.min(seen.inBounds, seen.outOfBounds)).toBeGreaterThan(20);
  });
});

test('the worst move of a bar is what is remembered of it', () => {
  const move = { side: 'long', excursion: 0.03, allowed: 0.02, ratio: 1.5 } as const;
  const state = guardState(1000, move, undefined);
  expect(state).toEqual({ since: 1000, ratio: 1.5, excursion: 0.03 });
  expect(guardState(1000, { ...move, ratio: 1.2, excursion: 0.04 }, state ?? undefined)).toEqual({
    ...{ since: 1000, ratio: 1.5, excursion: 0.04 },
  });
  expect(guardState(2000, null, state ?? undefined)).toBeNull();
  expect(guardState(2000, { ...move, ratio: 1 }, undefined)).toBeNull();
});

describe('a decision about some markets alone', () => {
  const inputs = ['AUSDT', 'BUSDT', 'CUSDT'].map((symbol) => largeMarket({ symbol }));
  const first = decideBook(inputs, null, context());

  test('leaves all others as they are to the bit, and makes nothing valid for longer', () => {
    const at = DECIDED_AT + 10 * MINUTE;
    const urgent = [{ ...inputs[1], intrabar: prices(95) }];
    const book = decideBook(urgent, first, context({ decidedAt: at, keepsOthers: true }));
    expect(bookHashHolds(book)).toBe(true);
    expect(book).toMatchObject({ version: 2, previousHash: first.hash, decidedAt: at, degraded: false });
    expect(book.validUntil).toBe(first.validUntil);
    expect(book.markets.map(({ symbol }) => symbol)).toEqual(['AUSDT', 'BUSDT', 'CUSDT']);
    expect(book.markets[0]).toBe(first.markets[0]);
    expect(book.markets[2]).toBe(first.markets[2]);
    expect(book.markets[1].brackets[0].maxLeverage).toBeLessThan(first.markets[1].brackets[0].maxLeverage);
  });
});

test('a guard policy that contradicts itself names every setting', () => {
  expect(guardPolicyFaults(DEFAULT_GUARD_POLICY, AXES.confidences)).toEqual([]);
  const wrong = {
    ...DEFAULT_GUARD_POLICY,
    confidence: 0.9,
    coverRatio: -1,
    heldAboveRatio: 4,
    confirmSeconds: 90,
  };
  expect(guardPolicyFaults({ ...wrong, maximumFactor: 1, minimumElapsedHours: 0 }, AXES.confidences)).toEqual(
    [
      'guard.confidence must be one of 0.95, 0.99, 0.995, 0.999',
      'guard.minimumElapsedHours must be a number above 0',
      'guard.confirmSeconds must not be above guard.staleAfterSeconds',
      'guard.maximumFactor must be a number above 1',
      'guard.heldAboveRatio must not be above guard.refusedAboveRatio',
      'guard.coverRatio must be a number of at least 0',
    ],
  );
});
