import { describe, expect, it } from 'vitest';
import { emptyBars } from '../../risk/bars.ts';
import { DAY_MILLISECONDS, HOUR_MILLISECONDS } from '../../units.ts';
import { crowding } from './crowding.ts';
import { buildGroupIndex, GROUP_STATE } from './group-index.ts';
import { storedDay, worstDays } from './historical-days.ts';
import { leverageIndex } from './leverage-index.ts';
import { atLeverage, leverageSensitivity, maintenanceAt } from './leverage-sensitivity.ts';
import { liquidationMap } from './liquidation-map.ts';
import { RULES, randomBook } from './random-book.fixture.ts';
import { stressShape, systemShape } from './shapes.ts';
import { DEFAULT_POPULATION, simulateAccounts } from './simulated-accounts.ts';
import { stressTest, uniformScenario } from './stress-test.ts';
import { systemStressInput } from './system-input.ts';
import { VALUE, VALUES, valueGroup } from './valuation.ts';

const MARKETS = 4;
const book = randomBook(11, { accounts: 200, markets: MARKETS, hasInverse: true, isBalanced: false });
const conditions = { impact: book.impact, rules: RULES, insuranceFund: 20_000 };

describe('everybody at one leverage', () => {
  it.each([1, 3, 20, 100])(
    '%ix: every group has its notional over the leverage as equity, and is not due',
    (leverage) => {
      const tried = atLeverage(book.accounts, book.markets, leverage);
      const table = maintenanceAt(book.markets, leverage);
      const index = buildGroupIndex(tried, table);
      const out = new Float64Array(VALUES);
      for (let group = 0; group < index.groups; group++) {
        if (index.state[group] !== GROUP_STATE.known) continue;
        const { quantity } = tried;
        valueGroup(
          { accounts: tried, markets: table, index, quantity, mark: table.mark, received: null },
          group,
          out,
        );
        expect(out[VALUE.gross] / out[VALUE.equity]).toBeCloseTo(leverage, 6);
        expect(out[VALUE.maintenance]).toBeLessThan(out[VALUE.equity]);
      }
      expect(leverageIndex(tried, table).gross).toBeCloseTo(leverage, 6);
    },
  );

  it('leaves the book and its tables as they were', () => {
    const before = [book.accounts.collateral.slice(), book.markets.maintenanceRate.slice()];
    atLeverage(book.accounts, book.markets, 50);
    maintenanceAt(book.markets, 50);
    expect([book.accounts.collateral, book.markets.maintenanceRate]).toEqual(before);
  });

  it('maintenance tables keep their margin continuous where rates are capped', () => {
    const { firstBracket, notionalCap, maintenanceRate, maintenanceAmount } = maintenanceAt(book.markets, 50);
    for (let b = firstBracket[0] + 1; b < firstBracket[1]; b++) {
      const edge = notionalCap[b - 1];
      const [below, above] = [b - 1, b].map((row) => edge * maintenanceRate[row] - maintenanceAmount[row]);
      expect(above).toBeCloseTo(below, 6);
      expect(maintenanceRate[b]).toBeLessThanOrEqual(0.75 / 50);
    }
  });

  it('more leverage fells no fewer accounts and makes no less bad debt, in every scenario', () => {
    const scenarios = [-0.3, -0.1, 0.2].map((move) => uniformScenario(MARKETS, move));
    const steps: number[] = [];
    const points = leverageSensitivity(
      book.accounts,
      book.markets,
      [1, 2, 5, 10, 25, 50],
      scenarios,
      conditions,
      (done) => steps.push(done),
    );
    expect(steps.at(-1)).toBe(18);
    for (const { id } of scenarios) {
      const own = points.filter(({ scenario }) => scenario === id);
      for (const [i, point] of own.entries()) {
        expect(point.badDebtRatio).toBeLessThanOrEqual(1);
        expect(point.fundDepletion).toBeLessThanOrEqual(1);
        if (i > 0) expect(point.accountsFallen).toBeGreaterThanOrEqual(own[i - 1].accountsFallen);
      }
      expect((own.at(-1)?.badDebt ?? 0) > own[0].badDebt).toBe(true);
    }
  });
});

describe('a stress', () => {
  it('without forced sales costs each side its notional times the move against it', () => {
    const healthy = randomBook(2, {
      accounts: 50,
      markets: MARKETS,
      hasInverse: false,
      isBalanced: false,
      spareMargin: 1,
    });
    const [down, up] = stressTest(
      healthy.accounts,
      healthy.markets,
      [uniformScenario(MARKETS, -0.02), uniformScenario(MARKETS, 0.02)],
      conditions,
    );
    const { byMarket } = leverageIndex(healthy.accounts, healthy.markets);
    const sum = (values: Float64Array): number => values.reduce((all, one) => all + one, 0);
    expect(down.longLoss).toBeCloseTo(0.02 * sum(byMarket.longNotional), 4);
    expect(down.shortLoss).toBe(0);
    expect(up.shortLoss).toBeCloseTo(0.02 * sum(byMarket.shortNotional), 4);
    expect(down.cascade.rounds).toEqual([]);
  });

  it('and the system go out as JSON without a number that is none, money as decimals', () => {
    const symbols = Array.from({ length: MARKETS }, (_, m) => `M${m}USDT`);
    const [outcome] = stressTest(book.accounts, book.markets, [uniformScenario(MARKETS, -0.2)], conditions);
    const stress = stressShape(outcome, symbols, book.markets.mark);
    const levels = Float64Array.of(-0.2, -0.1, 0.1, 0.2);
    const system = systemShape(
      '2024-06-01T00:00:00.000Z',
      symbols,
      leverageIndex(book.accounts, book.markets),
      crowding(book.accounts, book.markets, book.impact, Number.NaN),
      liquidationMap(book.accounts, book.markets, levels, 1),
    );
    for (const shape of [stress, system]) expect(JSON.parse(JSON.stringify(shape))).toEqual(shape);
    expect(stress.rounds.length).toBeGreaterThan(0);
    expect(stress.badDebt).toMatch(/^\d+(\.\d+)?$/);
    expect(system.markets[0].crowding.fundRatio).toBeNull();
    expect(system.markets[0].liquidations.map(({ move }) => move)).toEqual([...levels]);
  });
});

describe('what the bound is told', () => {
  it('is the worst of both directions, and nothing of an empty book', () => {
    const index = leverageIndex(book.accounts, book.markets);
    const outcomes = stressTest(
      book.accounts,
      book.markets,
      [-0.2, 0.2].map((move) => uniformScenario(MARKETS, move)),
      conditions,
    ).map(({ cascade }) => cascade);
    const input = systemStressInput(index, outcomes, 20_000, 5);
    expect(input?.leverage).toBe(index.gross);
    expect(input?.fundUse).toBe(Math.max(...outcomes.map(({ badDebt }) => badDebt)) / 20_000);
    expect(input?.forcedShare).toBeLessThanOrEqual(1);
    expect(systemStressInput(index, outcomes, 0, 5)?.fundUse).toBe(1e6);
    expect(systemStressInput({ ...index, accounts: 0 }, outcomes, 1, 5)).toBeNull();
    expect(systemStressInput({ ...index, equity: 0, gross: 0 }, outcomes, 1, 5)?.leverage).toBe(1e6);
  });
});

describe('a simulated population', () => {
  it('is the same for the same seed, and nobody starts due', () => {
    const weights = [1, 0, 2, 3];
    const once = simulateAccounts(book.markets, weights, { ...DEFAULT_POPULATION, accounts: 500 });
    expect(simulateAccounts(book.markets, weights, { ...DEFAULT_POPULATION, accounts: 500 })).toEqual(once);
    expect(once.market.includes(1)).toBe(false);
    const calm = stressTest(once, book.markets, [uniformScenario(MARKETS, 0)], conditions);
    expect(calm[0].cascade).toMatchObject({ accountsFallen: 0, accounts: 500 });
  });
});

describe('the worst stored days', () => {
  /** Four days of two bars; on the third day the price halves on the way, on the fourth it comes back. */
  function series(depth: number) {
    const bars = emptyBars(8, HOUR_MILLISECONDS);
    const closes = [100, 100, 100, 100, 80, 90, 95, 100];
    for (const [i, close] of closes.entries()) {
      bars.openTime[i] = Math.floor(i / 2) * DAY_MILLISECONDS + (i % 2) * HOUR_MILLISECONDS;
      bars.close[i] = close;
      bars.low[i] = i === 4 ? depth : close;
      bars.high[i] = close;
    }
    return bars;
  }

  it('are those on which markets fell, or rose, furthest from the close before; a market without bars moves as the mean', () => {
    const [fall, rise] = worstDays([series(50), series(70), null], 1, 1);
    expect(fall).toMatchObject({ id: '1970-01-03', basis: 'measured' });
    expect([...fall.moves].map((move) => Number(move.toFixed(9)))).toEqual([-0.5, -0.3, -0.4]);
    expect(rise.id).toBe('1970-01-04');
    expect(rise.moves[0]).toBeCloseTo(100 / 90 - 1, 12);
    expect(storedDay([series(50), series(70), null], 2 * DAY_MILLISECONDS)).toEqual(fall);
    expect(storedDay([series(50)], 9 * DAY_MILLISECONDS)).toBeNull();
    expect(worstDays([null, null], 3, 3)).toEqual([]);
  });
});
