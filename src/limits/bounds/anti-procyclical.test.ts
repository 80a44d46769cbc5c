import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AntiProcyclicalOption, DEFAULT_BOUND_POLICY } from '../bound-policy.ts';
import { scheduleFaults } from '../brackets.ts';
import { decideMarket } from '../decide.ts';
import type { MarketInput } from '../market-input.ts';
import type { Policy } from '../policy.ts';
import { absent, context, DECIDED_AT, EXAMPLE_POLICY, forecast, HOUR, largeMarket } from '../test-inputs.ts';
import type { BufferState, MarketLimit } from '../types.ts';
import { nextBuffer } from './anti-procyclical.ts';

const RULES = DEFAULT_BOUND_POLICY.antiProcyclical;

function policyWith(option: AntiProcyclicalOption): Policy {
  return {
    ...EXAMPLE_POLICY,
    bounds: { ...DEFAULT_BOUND_POLICY, antiProcyclical: { ...RULES, option } },
  };
}

function decide(
  option: AntiProcyclicalOption,
  changes: Partial<MarketInput> = {},
  previous: MarketLimit | null = null,
  decidedAt = DECIDED_AT,
): MarketLimit {
  return decideMarket(largeMarket(changes), previous, context({ policy: policyWith(option), decidedAt }));
}

function measure({ bounds }: MarketLimit) {
  const bound = bounds.find(({ name }) => name === 'antiProcyclical');
  if (bound === undefined) throw new Error('there is no anti-procyclical bound');
  return bound;
}

function walk(margins: readonly number[], hoursApart: number): BufferState[] {
  const states: BufferState[] = [];
  for (const [i, margin] of margins.entries()) {
    states.push(nextBuffer(states.at(-1) ?? null, margin, DECIDED_AT + i * hoursApart * HOUR, RULES));
  }
  return states;
}

describe('the buffer', () => {
  const margin = fc.double({ min: Math.log(1e-3), max: 0, noNaN: true }).map(Math.exp);
  const history = fc.array(margin, { minLength: 2, maxLength: 60 });

  it('is never below nothing or above full, drawn only when margins rise, and refilled no faster than the policy says', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 200 }), (margins, hoursApart) => {
        const states = walk(margins, hoursApart);
        for (const [i, { ratio }] of states.entries()) {
          expect(ratio).toBeGreaterThanOrEqual(0);
          expect(ratio).toBeLessThanOrEqual(RULES.bufferRatio);
          if (i === 0) continue;
          const before = states[i - 1].ratio;
          if (ratio < before) expect(margins[i]).toBeGreaterThan(margins[i - 1]);
          const most = (RULES.bufferRatio * hoursApart) / RULES.refillHours;
          expect(ratio - before).toBeLessThanOrEqual(most + 1e-12);
        }
      }),
      { seed: 5 },
    );
  });

  it('absorbs a rise of a quarter in one step, is empty after one of a half, and is full again ten days later', () => {
    const sharp = walk([0.04, 0.05, 0.06], 1);
    expect(sharp[0].ratio).toBe(0.25);
    // 1.25 · 1.05 · 0.04 is the margin that is kept.
    expect(0.05 * (1 + sharp[1].ratio)).toBeCloseTo(1.25 * 1.05 * 0.04, 10);
    expect(sharp[2].ratio).toBe(0);
    const steady = walk([0.04, 0.06, ...new Array<number>(60).fill(0.06)], 12);
    expect(steady[1].ratio).toBe(0);
    expect(steady.at(-1)?.ratio).toBeCloseTo(0.25, 10);
    const ratios = steady.slice(1).map(({ ratio }) => ratio);
    expect(ratios).toEqual([...ratios].sort((a, b) => a - b));
  });

  it('refills nothing when the clock stands still or jumps back', () => {
    const [, drawn] = walk([0.04, 0.06], 1);
    for (const at of [drawn.updatedAt, drawn.updatedAt - 100 * HOUR])
      expect(nextBuffer(drawn, 0.06, at, RULES).ratio).toBe(drawn.ratio);
  });
});

describe('the anti-procyclical measure in a decision', () => {
  it('(a) lets a sharp rise of the model spare the limit: the next book differs by less than the margins do', () => {
    const plain = decide('none');
    const first = decide('buffer');
    expect(first.bindingBound).toBe('antiProcyclical');
    expect(measure(first).maxLeverage).toBeCloseTo(21.93 / 1.25, 1);
    const storm = { shockModel: forecast('m', 0.0276) };
    const [stormPlain, stormBuffered] = [
      decide('none', storm, plain, DECIDED_AT + HOUR),
      decide('buffer', storm, first, DECIDED_AT + HOUR),
    ];
    expect(stormPlain.brackets[0].maxLeverage).toBeLessThan(plain.brackets[0].maxLeverage);
    expect(stormBuffered.brackets[0].maxLeverage).toBe(first.brackets[0].maxLeverage);
    expect(measure(stormBuffered).evidence.bufferRatio).toBeLessThan(0.25);
    expect(measure(stormBuffered).evidence.bufferRatio).toBeGreaterThan(0);
  });

  it('(a) never moves the maintenance margin', () => {
    const widest = decide('buffer').brackets.at(-1);
    expect(widest?.maintenanceMarginRatePpm).toBe(decide('none').brackets.at(-1)?.maintenanceMarginRatePpm);
  });

  it.each(['stressedWeight', 'longLookbackFloor'] as const)(
    '%s never asks for less than is calculated',
    (option) => {
      fc.assert(
        fc.property(fc.double({ min: 0.001, max: 0.3, noNaN: true }), (tail) => {
          const limit = decide(option, { antiProcyclical: forecast('floor@1', tail) });
          const plain = decide('none');
          expect(scheduleFaults(limit.brackets)).toEqual([]);
          expect(limit.governor.targetMaxLeverage).toBeLessThanOrEqual(plain.governor.targetMaxLeverage);
          expect(limit.bindingBound === 'antiProcyclical').toBe(tail > 0.023);
        }),
        { seed: 7, numRuns: 50 },
      );
    },
  );

  it('takes the policy by its word: a floor that is missing is named, and nothing loosens without it', () => {
    const why = 'only 100 hourly bars';
    const before = decide('longLookbackFloor', { antiProcyclical: forecast('floor@1', 0.05) });
    const missing = { antiProcyclical: absent('floor@1', why) };
    const later = decide('longLookbackFloor', missing, before, DECIDED_AT + 100 * HOUR);
    expect(measure(later)).toMatchObject({ available: false, unavailableReason: why });
    expect(later.brackets).toBe(before.brackets);
    expect(later.reasons).toContain('BOUND_INPUT_MISSING');
    expect(measure(decide('none')).unavailableReason).toContain('chooses no');
  });
});
