import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AntiProcyclicalOption, DEFAULT_BOUND_POLICY } from '../bound-policy.ts';
import { maxLeverageAt, scheduleFaults } from '../brackets.ts';
import { EDGES } from '../cut.ts';
import { type DecisionContext, decideMarket } from '../decide.ts';
import type {
  DepthInput,
  LiquidityInput,
  MarketInput,
  MarketWideInput,
  SourceForecast,
  SystemStressInput,
} from '../market-input.ts';
import { absent, context, DECIDED_AT, EXAMPLE_POLICY, forecast, HOUR, largeMarket } from '../test-inputs.ts';
import { anyDepth } from '../test-targets.ts';
import type { MarketLimit } from '../types.ts';

/**
 * An input that is lost, late or absurd never buys leverage: at no notional has the market then more than the larger of
 * what it would have with the input and what was in force. (More than in force it may not have at all.)
 */
const hourlyTail = fc.double({ min: 0.002, max: 0.2, noNaN: true });
const goodInput = fc
  .record({
    shockModel: hourlyTail,
    historical: hourlyTail,
    filtered: hourlyTail,
    tail: hourlyTail,
    floor: hourlyTail,
    openInterest: fc.double({ min: 1e9, max: 200e9, noNaN: true }),
    hourlyVolume: fc.double({ min: 1e4, max: 1e9, noNaN: true }),
    dailyVolatility: fc.double({ min: 0.005, max: 0.3, noNaN: true }),
    depth: anyDepth,
    historyDays: fc.constantFrom(20, 80, 2000),
  })
  .map(
    (made) =>
      (observedAt: number): MarketInput =>
        largeMarket({
          shockModel: forecast('m', made.shockModel),
          historical: forecast('historical@1', made.historical),
          filtered: forecast('filtered@1', made.filtered),
          tail: forecast('tail@1', made.tail),
          antiProcyclical: forecast('floor@1', made.floor),
          openInterest: { quoteNotional: made.openInterest, observedAt },
          liquidity: {
            hourlyVolume: made.hourlyVolume,
            dailyVolatility: made.dailyVolatility,
            depth: { ...made.depth, observedAt },
          },
          historyDays: made.historyDays,
        }),
  );
const goodMarketWide: fc.Arbitrary<MarketWideInput> = fc.record({
  markets: fc.constant(40),
  stressedShare: fc.double({ min: 0, max: 1, noNaN: true }),
  commonShock: fc.double({ min: -8, max: 8, noNaN: true }),
  source: fc.constant('test'),
});

const goodSystemStress = fc
  .record({
    accounts: fc.constant(5_000),
    leverage: fc.double({ min: 1, max: 40, noNaN: true }),
    forcedShare: fc.double({ min: 0, max: 1, noNaN: true }),
    fundUse: fc.double({ min: 0, max: 4, noNaN: true }),
    source: fc.constant('test'),
  })
  .map(
    (made) =>
      (observedAt: number): SystemStressInput => ({ ...made, observedAt }),
  );

interface Both {
  readonly input: MarketInput;
  readonly marketWide: MarketWideInput | null;
  readonly systemStress: SystemStressInput | undefined;
}

const badNumber = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 1e300);
const spoiled = (source: SourceForecast, value: number): SourceForecast => ({
  ...source,
  valueAtRisk: source.valueAtRisk.with(5, value),
});
const forecastName = fc.constantFrom('shockModel', 'historical', 'filtered', 'tail', 'antiProcyclical');
/** Ways to lose one input: what is left of it; the others stay. */
const loss: fc.Arbitrary<(good: Both) => Partial<Both>> = fc.oneof(
  forecastName.map((name) => ({ input, marketWide }: Both) => ({
    input: { ...input, [name]: absent('none', 'gone') },
    marketWide,
  })),
  fc.tuple(forecastName, badNumber).map(([name, value]) => ({ input, marketWide }: Both) => ({
    input: { ...input, [name]: spoiled(input[name as 'tail'], value) },
    marketWide,
  })),
  fc.constant(({ input, marketWide }: Both) => ({ input: { ...input, openInterest: null }, marketWide })),
  fc.tuple(badNumber, badNumber).map(([quoteNotional, observedAt]) => ({ input, marketWide }: Both) => ({
    input: { ...input, openInterest: { quoteNotional, observedAt } },
    marketWide,
  })),
  fc
    .constantFrom<(good: LiquidityInput) => LiquidityInput>(
      ({ depth: _, ...volume }) => volume,
      ({ depth, ...volume }) => ({ ...volume, depth: { ...(depth as DepthInput), observedAt: 0 } }),
      ({ depth, ...volume }) => ({
        ...volume,
        depth: { ...(depth as DepthInput), quoteNotional: Number.NaN },
      }),
      ({ depth, ...volume }) => ({ ...volume, depth: { ...(depth as DepthInput), bandRate: -1 } }),
    )
    .map((lose) => ({ input, marketWide }: Both) => ({
      input: { ...input, liquidity: lose(input.liquidity as LiquidityInput) },
      marketWide,
    })),
  fc.constant(({ input }: Both) => ({ input, marketWide: null })),
  fc.constant(() => ({ systemStress: undefined })),
  badNumber.map((bad) => ({ systemStress }: Both) => ({
    systemStress: systemStress === undefined ? undefined : { ...systemStress, leverage: bad },
  })),
  fc.constant(({ systemStress }: Both) => ({
    systemStress: systemStress === undefined ? undefined : { ...systemStress, observedAt: 0 },
  })),
  badNumber.map((bad) => ({ input, marketWide }: Both) => ({
    input,
    marketWide: marketWide === null ? null : { ...marketWide, stressedShare: bad },
  })),
  fc.constant(({ input, marketWide }: Both) => ({ input: { ...input, liquidity: null }, marketWide })),
  badNumber.map((bad) => ({ input, marketWide }: Both) => ({
    input: { ...input, liquidity: { hourlyVolume: bad, dailyVolatility: 0.03 } },
    marketWide,
  })),
  badNumber.map((bad) => ({ input, marketWide }: Both) => ({
    input: { ...input, stress: { ...input.stress, excursion: input.stress.excursion.fill(bad) } },
    marketWide,
  })),
  badNumber.map((bad) => ({ input, marketWide }: Both) => ({
    input: { ...input, historyDays: bad },
    marketWide,
  })),
  fc.constant(({ input, marketWide }: Both) => ({ input: { ...input, stale: true }, marketWide })),
  fc.constantFrom('degrade' as const, 'reject' as const).map((quality) => ({ input, marketWide }: Both) => ({
    input: { ...input, quality },
    marketWide,
  })),
);

const option: fc.Arbitrary<AntiProcyclicalOption> = fc.constantFrom(
  'none',
  'buffer',
  'stressedWeight',
  'longLookbackFloor',
);

describe('a market that loses an input', () => {
  it('has at no notional more leverage than with it or than before, and its bound says why it is missing', () => {
    fc.assert(
      fc.property(
        goodInput,
        goodInput,
        goodMarketWide,
        goodMarketWide,
        goodSystemStress,
        goodSystemStress,
        loss,
        option,
        fc.integer({ min: 1, max: 300 }),
        (first, second, marketWideBefore, marketWideNow, systemBefore, systemNow, lose, chosen, hours) => {
          const policy = {
            ...EXAMPLE_POLICY,
            bounds: {
              ...DEFAULT_BOUND_POLICY,
              antiProcyclical: { ...DEFAULT_BOUND_POLICY.antiProcyclical, option: chosen },
            },
          };
          const at = (
            decidedAt: number,
            marketWide: MarketWideInput | null,
            systemStress: SystemStressInput | undefined,
          ): DecisionContext => context({ policy, decidedAt, marketWide, systemStress });
          const later = DECIDED_AT + hours * HOUR;
          const atFirst = at(DECIDED_AT, marketWideBefore, systemBefore(DECIDED_AT));
          const before = decideMarket(first(DECIDED_AT), null, atFirst);
          const good = { input: second(later), marketWide: marketWideNow, systemStress: systemNow(later) };
          const withIt = decideMarket(good.input, before, at(later, good.marketWide, good.systemStress));
          const lost = { ...good, ...lose({ ...good, input: second(later) }) };
          const without = decideMarket(lost.input, before, at(later, lost.marketWide, lost.systemStress));
          expect(scheduleFaults(without.brackets)).toEqual([]);
          expect(unexplained(without)).toEqual([]);
          for (const notional of EDGES) {
            const most = Math.max(
              maxLeverageAt(withIt.brackets, notional),
              maxLeverageAt(before.brackets, notional),
            );
            expect(maxLeverageAt(without.brackets, notional)).toBeLessThanOrEqual(most);
          }
        },
      ),
      { seed: 11, numRuns: 600 },
    );
  });
});

function unexplained({ bounds }: MarketLimit): string[] {
  return bounds
    .filter(({ available, unavailableReason }) => available !== (unavailableReason === ''))
    .map(({ name }) => name);
}
