import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../limits/policy.ts';
import { marginAccountOf } from './account.ts';
import { accountMargin } from './account-margin.ts';
import { MOST_RATIO, marginRatio, statusOf, worstStatus } from './measure.ts';
import { type Excursions, excursionsOf, liquidationProbability } from './probability.ts';
import { venueTableFaults } from './table.ts';
import { account, flat, market, markets, position, table } from './test-accounts.ts';

const { accounts } = DEFAULT_POLICY;
/** Falls of 10 % once in 20 times, of 20 % once in 100; rises half as far. */
const EXCURSIONS: Excursions = { confidences: [0.95, 0.99], long: [0.1, 0.2], short: [0.05, 0.1] };

describe('the margin of an account', () => {
  test('by hand: what is shared, and what each has to itself', () => {
    const result = accountMargin(
      account(100, [position('AUSD', 10, 90), position('BUSD', -1, 400, 50), position('CUSD', -2, 100)]),
      markets(
        market('AUSD', 100, flat(0.05), { beta: 0.5 }),
        market('BUSD', 410, flat(0.05), { beta: 2 }),
        market('CUSD', 110, flat(0.1), { beta: 1 }),
      ),
      DEFAULT_POLICY,
    );
    const [shared, alone] = result.units;
    expect(shared.unit).toMatchObject({ kind: 'cross', collateral: 100 });
    // 100 + 100 − 20 = 180; 50 + 22 = 72 maintenance, twice as much initial margin.
    expect(shared.measured).toMatchObject({ equity: 180, maintenance: 72, initial: 144, status: 'healthy' });
    expect(shared.measured?.ratio).toBeCloseTo(0.4, 12);
    // 50 − 10 = 40; 20.5 maintenance.
    expect(alone.unit.kind).toBe('isolated');
    expect(alone.measured).toMatchObject({ equity: 40, maintenance: 20.5 });
    expect(result.totals).toMatchObject({ equity: 220, maintenance: 92.5, initial: 185, ratio: 0.5125 });
    expect(result.totals?.leverage.gross).toBeCloseTo((1000 + 410 + 220) / 220, 12);
    expect(result.totals?.leverage.net).toBeCloseTo((1000 - 410 - 220) / 220, 12);
    expect(result.totals?.leverage.betaWeighted).toBeCloseTo((500 - 820 - 220) / 220, 12);
    expect(result.availableBalance).toBe(36);
    expect([result.status, result.settlementAsset, result.unpriced]).toEqual(['healthy', 'quote', []]);
  });

  test('of mode isolated leaves the collateral free', () => {
    const held = account(1000, [position('AUSD', 1, 100, 4)], { marginMode: 'isolated' });
    const result = accountMargin(held, markets(market('AUSD', 100, flat(0.05))), DEFAULT_POLICY);
    expect(result).toMatchObject({ status: 'liquidation', availableBalance: 1000 });
    expect(result.totals).toMatchObject({ equity: 1004, ratio: 1.25 });
    expect(result.units[1].plan?.items).toHaveLength(1);
  });

  test('asks for the initial rate of the account where that is higher, but for no other maintenance', () => {
    const of = (ownInitialRate: number) =>
      accountMargin(
        account(1000, [position('AUSD', 1, 100)], { ownInitialRate }),
        markets(market('AUSD', 100, flat(0.05))),
        DEFAULT_POLICY,
      ).totals;
    expect(of(0)).toMatchObject({ initial: 10, maintenance: 5 });
    expect(of(0.02)).toMatchObject({ initial: 10, maintenance: 5 });
    expect(of(0.5)).toMatchObject({ initial: 50, maintenance: 5 });
  });

  test('counts the last bracket on above the last cap', () => {
    const rows = table([100, 0.05, 0], [200, 0.1, 5]);
    const held = markets(market('AUSD', 100, rows));
    const of = (quantity: number) =>
      accountMargin(account(1000, [position('AUSD', quantity, 100)]), held, DEFAULT_POLICY).totals;
    expect(of(1)).toMatchObject({ maintenance: 5, initial: 10 });
    expect(of(2)).toMatchObject({ maintenance: 15, initial: 40 });
    expect(of(10)).toMatchObject({ maintenance: 95, initial: 200 });
  });

  test('is not known while a mark is missing, and says which; what is known is told all the same', () => {
    const held = account(100, [
      position('AUSD', 1, 100),
      position('BUSD', 1, 100),
      position('CUSD', 1, 100, 4),
    ]);
    const of = (c: number | null) =>
      accountMargin(
        held,
        markets(
          market('AUSD', 100, flat(0.05)),
          market('BUSD', null, flat(0.05)),
          market('CUSD', c, flat(0.05)),
        ),
        DEFAULT_POLICY,
      );
    const result = of(200);
    expect(result).toMatchObject({
      status: 'unknown',
      totals: null,
      availableBalance: null,
      unpriced: ['BUSD'],
    });
    const [a, b] = result.units[0].positions;
    expect([a.measured?.notional, a.prices, a.liquidationProbability]).toEqual([100, null, null]);
    expect([b.measured, b.prices]).toEqual([null, null]);
    expect(result.units[1].measured?.status).toBe('healthy');
    expect(of(100).status).toBe('liquidation');
    expect(of(null)).toMatchObject({ status: 'unknown', unpriced: ['BUSD', 'CUSD'] });
  });

  test('without positions is what the account holds', () => {
    const of = (collateral: number) => accountMargin(account(collateral, []), markets(), DEFAULT_POLICY);
    expect(of(5)).toMatchObject({ status: 'healthy', availableBalance: 5, units: [{ plan: { items: [] } }] });
    expect(of(5).totals).toMatchObject({ equity: 5, ratio: 0, leverage: { gross: 0, net: 0 } });
    expect(of(0).totals).toMatchObject({ ratio: 0 });
    expect(of(-1)).toMatchObject({
      status: 'healthy',
      availableBalance: 0,
      totals: { equity: -1, ratio: 0 },
    });
  });

  test('is finite whatever happens', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: -1e6, max: 1e6, noNaN: true }).filter((quantity) => quantity !== 0),
        fc.double({ min: 1e-9, max: 1e6, noNaN: true }),
        fc.constantFrom('linear' as const, 'inverse' as const),
        (collateral, quantity, mark, kind) => {
          const held = market('AUSD', mark, flat(0.05), {
            contract: { kind, contractSize: 1 },
            excursions: EXCURSIONS,
            beta: 1,
          });
          const result = accountMargin(
            account(collateral, [position('AUSD', quantity, 1)]),
            markets(held),
            DEFAULT_POLICY,
          );
          const walk = (value: unknown): void => {
            if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
            else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
          };
          walk(result);
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('what cannot be measured is refused', () => {
  const inverse = { kind: 'inverse', contractSize: 100 } as const;
  const held = markets(
    market('AUSD', 100, flat(0.05)),
    market('BTCUSD_PERP', 30_000, flat(0.05), { contract: inverse }),
    market('ETHUSD_PERP', 2000, flat(0.05), { contract: inverse }),
    market('ZUSD', 0, flat(0.05)),
  );
  test.each([
    [
      'a side twice',
      account(1, [position('AUSD', 1, 1), position('AUSD', 2, 1)]),
      /two long positions of AUSD/,
    ],
    ['no margin', account(1, [position('AUSD', 1, 1)], { marginMode: 'isolated' }), /no isolatedMargin/],
    [
      'two assets',
      account(1, [position('AUSD', 1, 1), position('BTCUSD_PERP', 1, 1)]),
      /quote asset and BTCUSD_PERP in BTC/,
    ],
    [
      'two coins',
      account(1, [position('BTCUSD_PERP', 1, 1), position('ETHUSD_PERP', 1, 1)]),
      /BTC and ETHUSD_PERP in ETH/,
    ],
    ['a price of 0', account(1, [position('ZUSD', 1, 1)]), /the price of ZUSD is 0/],
    ['an entry price of 0', account(1, [position('AUSD', 1, 0)]), /entry price of AUSD is 0/],
    ['no market', account(1, [position('NOPE', 1, 1)]), /nothing is known of NOPE/],
    ['too much', account(1, [position('AUSD', 1e15, 1)]), /as large as that/],
    ['no equity', account(Number.NaN, []), /no number/],
    ['no quantity', account(1, [position('AUSD', Number.NaN, 1)]), /quantity of AUSD/],
  ])('%s', (_, of, message) => {
    expect(() => accountMargin(of, held, DEFAULT_POLICY)).toThrow(message);
  });

  test('but both sides of a market are hedge mode', () => {
    const both = account(100, [position('AUSD', 1, 100), position('AUSD', -1, 100)]);
    expect(accountMargin(both, held, DEFAULT_POLICY).totals).toMatchObject({ maintenance: 10 });
  });
});

test('an account as exchanges send it: net quantities have a sign, sides give it, positions of nothing are none', () => {
  const state = {
    accountId: 'a',
    userId: 'u',
    marginMode: 'cross',
    equity: '1.5',
    positions: [
      { symbol: 'A', side: 'net', quantity: '-2', entryPrice: '3' },
      { symbol: 'B', side: 'short', quantity: '2', entryPrice: '3', isolatedMargin: '7' },
      { symbol: 'C', side: 'short', quantity: '-2', entryPrice: '3' },
      { symbol: 'D', side: 'long', quantity: '0.0', entryPrice: '3' },
    ],
  } as const;
  expect(marginAccountOf(state)).toMatchObject({
    collateral: 1.5,
    positions: [
      { symbol: 'A', quantity: -2, isolatedMargin: null },
      { symbol: 'B', quantity: -2, isolatedMargin: 7 },
      { symbol: 'C', quantity: -2 },
    ],
  });
  expect(marginAccountOf(state).positions).toHaveLength(3);
});

describe('a status', () => {
  test('begins at its threshold', () => {
    const of = (ratio: number) => statusOf(1, ratio, accounts);
    const begins = [
      [accounts.warningRatio, 'warning'],
      [accounts.marginCallRatio, 'marginCall'],
      [accounts.reduceOnlyRatio, 'reduceOnly'],
      [accounts.reductionRatio, 'reduction'],
      [accounts.liquidationRatio, 'liquidation'],
      [accounts.backstopRatio, 'backstop'],
    ] as const;
    for (const [i, [ratio, status]] of begins.entries()) {
      expect(of(ratio)).toBe(status);
      expect(of(ratio - 1e-9)).toBe(i === 0 ? 'healthy' : begins[i - 1][1]);
    }
    expect(worstStatus(['warning', 'liquidation', 'healthy'])).toBe('liquidation');
    expect(worstStatus([])).toBe('healthy');
  });

  test('is the backstop with no equity left, with a ratio that is a number and large', () => {
    for (const equity of [0, -5]) {
      expect([statusOf(equity, 1, accounts), marginRatio(equity, 1)]).toEqual(['backstop', MOST_RATIO]);
    }
    expect(marginRatio(1e-300, 1e300)).toBe(MOST_RATIO);
    expect([marginRatio(0, 0), marginRatio(-1, 0)]).toEqual([0, 0]);
  });
});

describe('the probability of liquidation', () => {
  const of = (collateral: number, quantity: number, excursions: Excursions | null = EXCURSIONS) =>
    accountMargin(
      account(collateral, [position('AUSD', quantity, 100)]),
      markets(market('AUSD', 100, flat(0.05), { excursions })),
      DEFAULT_POLICY,
    ).units[0].positions[0];

  test('is that of the excursion which reaches the price, on its side', () => {
    // 14.5 of 100: the price is 90, a fall of 10 %.
    expect(of(14.5, 1).liquidationProbability).toBeCloseTo(0.05, 9);
    // 10.25 of 100: the price is 105, a rise of 5 %.
    expect(of(10.25, -1).liquidationProbability).toBeCloseTo(0.05, 9);
    expect(of(100, 1).liquidationProbability).toBe(0);
    expect(of(4, 1).liquidationProbability).toBe(1);
    expect(of(4, 1, null).liquidationProbability).toBe(1);
    expect(of(14.5, 1, null)).toMatchObject({ liquidationProbability: null, probabilityPerLeverage: null });
  });

  test('of a unit that both ways threaten is their sum', () => {
    const prices = {
      liquidationPrice: 90,
      bankruptcyPrice: null,
      below: 90,
      above: 105,
      isBelowMaintenance: false,
    };
    expect(liquidationProbability(prices, 100, EXCURSIONS)).toBeCloseTo(0.1, 9);
  });

  test('rises with leverage as its slope says', () => {
    // A leverage of 8 has its price 15 % below.
    const collateral = 100 / 8;
    const { probabilityPerLeverage } = of(collateral, 1);
    const at = (leverage: number) => of(100 / leverage, 1).liquidationProbability ?? Number.NaN;
    expect(probabilityPerLeverage).toBeCloseTo((at(8.001) - at(7.999)) / 0.002, 3);
    expect(probabilityPerLeverage).toBeGreaterThan(0);
    expect(of(-5, 1).probabilityPerLeverage).toBeNull();
  });

  test('comes from the cells of its horizon that both sides have', () => {
    const cell = (side: 'long' | 'short', horizonHours: number, confidence: number, valueAtRisk: number) => ({
      ...{ side, horizonHours, confidence, valueAtRisk, expectedShortfall: 1 },
    });
    const cells = [
      cell('long', 24, 0.99, 0.2),
      cell('long', 24, 0.95, 0.1),
      cell('short', 24, 0.95, 0.05),
      cell('short', 24, 0.99, 0.1),
      cell('long', 1, 0.95, 0.01),
      cell('long', 1, 0.99, 0.02),
    ];
    expect(excursionsOf(cells, 24)).toEqual(EXCURSIONS);
    expect(excursionsOf(cells, 1)).toBeNull();
    expect(excursionsOf([], 24)).toBeNull();
  });
});

describe('a table of a venue', () => {
  const good = [
    { notionalFloor: 0, ...table([1000, 0.01, 0])[0] },
    { notionalFloor: 1000, ...table([5000, 0.02, 10])[0] },
  ];
  test('is taken where it is whole, even if rounded to a cent', () => {
    expect(venueTableFaults(good)).toEqual([]);
    expect(venueTableFaults([good[0], { ...good[1], maintenanceAmount: 10.009 }])).toEqual([]);
  });

  test.each([
    [[], 'no bracket'],
    [[good[1]], 'must start at 0'],
    [[good[0], { ...good[1], notionalFloor: 900 }], 'starts at 900, but the one before ends at 1000'],
    [[good[0], { ...good[1], notionalCap: 1000 }], 'must end above its floor'],
    [[good[0], { ...good[1], maintenanceAmount: 12 }], 'jumps by -2 at the floor of bracket 2'],
    [[{ ...good[0], maintenanceAmount: 3 }], 'amount of bracket 1 must be 0'],
    [[good[0], { ...good[1], maintenanceRate: 0.005, maintenanceAmount: -5 }], 'rate falls in bracket 2'],
    [[{ ...good[0], maintenanceRate: 0 }], 'above 0 and at most 1'],
    [[{ ...good[0], initialRate: 0.001 }], 'initial rate of bracket 1'],
    [[{ ...good[0], notionalCap: Number.NaN }], 'no number'],
  ])('with a fault is named by it: %#', (rows, fault) => {
    expect(venueTableFaults(rows).join('; ')).toContain(fault);
  });
});
