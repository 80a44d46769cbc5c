import { describe, expect, test } from 'vitest';
import { maintenanceMarginMicros } from '../../src/limits/brackets.ts';
import { Random } from '../../src/random.ts';
import { MICROS } from '../../src/units.ts';
import { barsOf, bracketsOf, freeExecution, pathOf } from './test-stage.ts';
import { DEFAULT_TRADER_RULES, deal, FlatSchedules, type TraderRules } from './traders.ts';

/** An entry in nearly every hour, held for one hour, so that a path of a few bars has positions. */
const EAGER: TraderRules = {
  ...DEFAULT_TRADER_RULES,
  entryEveryHours: 0.05,
  meanHoldingHours: 1e-9,
  notionals: [1000],
  answerRatio: 0,
  seed: 'eager',
};

function dealOver(
  prices: readonly (readonly [number, number, number, number])[],
  brackets: ReturnType<typeof bracketsOf>,
  rules: TraderRules = EAGER,
  execution = freeExecution(prices.length),
) {
  const counted = new Uint8Array(prices.length);
  // Only entries at the close of the first bar.
  counted[0] = 1;
  return deal(barsOf(prices), pathOf('BTCUSDT', prices.length, [[0, brackets]]), execution, rules, counted);
}

const CALM = [100, 100, 100, 100] as const;
/** 10x with a maintenance rate of 5 %: a long is triggered where 1000/10 + 10 (p − 100) = 0.05 · 10 p, at 94.7368…; a short at 104.7619…. */
const TEN = bracketsOf([[1e6, 10, 0.05]]);

describe('a position', () => {
  test('that meets no trigger costs nobody anything', () => {
    const { positions, liquidations, badDebt, leverage, refused } = dealOver(
      [CALM, [100, 104.7, 94.8, 100], CALM],
      TEN,
    );
    expect(positions).toBeGreaterThan(10);
    expect({ liquidations, badDebt, refused }).toEqual({ liquidations: 0, badDebt: 0, refused: 0 });
    expect(leverage / positions).toBe(10);
  });

  test('is liquidated where the worst price of a bar meets the trigger, and its margin pays', () => {
    const { positions, liquidations, badDebt } = dealOver([CALM, [100, 100, 94.7, 100], CALM], TEN);
    expect(liquidations).toBe(positions / 2);
    expect(badDebt).toBe(0);
  });

  test('leaves bad debt where the closeout gets less than the margin holds', () => {
    // Trigger 94.7368, worst 80: sold at 87.3684 on average; loss 12.6316 of 100, of which the margin has 10.
    const { positions, badDebt } = dealOver([CALM, [100, 100, 80, 80], [80, 80, 80, 80]], TEN);
    expect(badDebt / (positions / 2)).toBeCloseTo(0.126_315_79 - 0.1, 6);
  });

  test('is sold from the open where the price jumps over the trigger', () => {
    // Open 85, worst 80: 82.5, a loss of 17.5.
    const { positions, badDebt } = dealOver([CALM, [85, 85, 80, 80], [80, 80, 80, 80]], TEN);
    expect(badDebt / (positions / 2)).toBeCloseTo(0.175 - 0.1, 9);
  });

  test('that is short mirrors it', () => {
    // Trigger 104.7619, worst 125: bought at 114.881; loss 14.881 of 100.
    const { positions, badDebt } = dealOver([CALM, [100, 125, 100, 125], [125, 125, 125, 125]], TEN);
    expect(badDebt / (positions / 2)).toBeCloseTo(0.148_809_52 - 0.1, 6);
  });

  test('pays spread, fee and impact of its closeout', () => {
    const execution = { ...freeExecution(3), fixedCostRate: 0.01 };
    // As above, and 1 % of what it is sold for.
    const { positions, badDebt } = dealOver(
      [CALM, [85, 85, 80, 80], [80, 80, 80, 80]],
      TEN,
      EAGER,
      execution,
    );
    expect(badDebt / (positions / 2)).toBeCloseTo(0.175 + 0.01 * 0.825 - 0.1, 9);
  });

  test('too large for an hour is sold over the hours after, at their close and worst price', () => {
    const prices = [CALM, [85, 85, 80, 80], [80, 80, 60, 70], [70, 70, 70, 70]] as const;
    // Half of 850 an hour: half at 82.5, half at 65.
    const execution = { ...freeExecution(4), hourlyVolume: new Float64Array(4).fill(850 / 2 / 0.05) };
    const { positions, badDebt } = dealOver(prices, TEN, EAGER, execution);
    expect(badDebt / (positions / 2)).toBeCloseTo(1 - (0.825 + 0.65) / 2 - 0.1, 9);
  });

  test('that no bracket takes is refused and counts with a leverage of 0', () => {
    const { positions, refused, leverage } = dealOver([CALM, CALM], bracketsOf([[500, 10, 0.05]]));
    expect(refused).toBe(positions);
    expect(leverage).toBe(0);
  });

  test('lives longer when its trader answers calls', () => {
    // Falls by 3 % an hour to below the trigger of one who does not answer.
    const prices = [
      CALM,
      [100, 100, 97, 97],
      [97, 97, 94.8, 94.8],
      [94.8, 94.8, 92, 92],
      [92, 92, 92, 92],
    ] as const;
    const rules = { ...EAGER, meanHoldingHours: 1e9, maximumHoldingHours: 3, callRatio: 0.7 };
    const silent = dealOver(prices, TEN, { ...rules, answerRatio: 0 });
    const answering = dealOver(prices, TEN, { ...rules, answerRatio: 1 });
    expect(silent.liquidations).toBe(silent.positions / 2);
    expect(answering.liquidations).toBe(0);
    expect(answering.marginCalls).toBeGreaterThan(0);
  });
});

test('hours that are not counted have no traders, and the same seed has the same ones', () => {
  const prices = Array.from({ length: 300 }, () => CALM);
  const path = pathOf('BTCUSDT', 300, [[0, TEN]]);
  const dealt = (counted: number, seed = 'one') =>
    deal(
      barsOf(prices),
      path,
      freeExecution(300),
      { ...DEFAULT_TRADER_RULES, seed },
      new Uint8Array(300).fill(counted),
    );
  expect(dealt(0).positions).toBe(0);
  expect(dealt(1)).toEqual(dealt(1));
  expect(dealt(1).years).not.toBe(dealt(1, 'two').years);
});

test('the trigger is where equity equals the maintenance margin of the bracket that holds there', () => {
  const schedule = bracketsOf([
    [5_000, 50, 0.01],
    [20_000, 20, 0.025],
    [100_000, 10, 0.06],
    [400_000, 4, 0.15],
  ]);
  const tables = new FlatSchedules(pathOf('A', 1, [[0, schedule]]));
  const random = new Random('triggers');
  for (let i = 0; i < 2000; i++) {
    const sign = random.uniform() < 0.5 ? -1 : 1;
    const notional = Math.exp(Math.log(100) + random.uniform() * Math.log(3000));
    const margin = notional / tables.maxLeverage(0, notional);
    const price = tables.triggerPrice(0, sign, notional / 100, notional, margin, sign > 0 ? 20 : 300);
    const marked = (notional / 100) * price;
    const bracket = schedule.find(({ notionalCap }) => marked <= notionalCap) ?? schedule[3];
    const required = maintenanceMarginMicros(bracket, marked) / MICROS;
    expect(margin + sign * (marked - notional)).toBeCloseTo(required, 6);
  }
});
