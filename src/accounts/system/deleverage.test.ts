import { describe, expect, it } from 'vitest';
import { Random } from '../../random.ts';
import { plainDeleverage } from './deleverage.fixture.ts';
import { type DeleveragedBook, Deleveraging, type Shortfall } from './deleverage.ts';
import { buildGroupIndex, GROUP_STATE } from './group-index.ts';
import { type BookKind, type RandomBook, randomBook } from './random-book.fixture.ts';

const SEEDS = Array.from({ length: 25 }, (_, seed) => seed + 1);
const ROUNDS = 8;
const SMALL: BookKind = { accounts: 300, markets: 4, hasInverse: true, isBalanced: false, spareMargin: 0.01 };
/** So many markets that one of them is looked at alone. */
const WIDE: BookKind = { ...SMALL, accounts: 600, markets: 60, hasInverse: false };

function deleveragedBook({ accounts, markets }: RandomBook): DeleveragedBook {
  const index = buildGroupIndex(accounts, markets);
  return {
    ...{ accounts, markets, index },
    quantity: accounts.quantity.slice(),
    mark: markets.mark.slice(),
    received: new Float64Array(index.groups),
  };
}

/** What is asked for in a round, at marks that have moved: sometimes next to nothing, sometimes more than there is. */
function roundOf(
  random: Random,
  { mark, quantity, accounts }: DeleveragedBook,
  markets: number,
): Shortfall[] {
  for (let m = 0; m < mark.length; m++) mark[m] *= Math.exp(0.03 * random.normal());
  const shortfalls: Shortfall[] = [];
  for (let i = 0; i < markets; i++) {
    const market = markets === mark.length ? i : random.integer(mark.length);
    for (const fallenSide of [1, -1] as const) {
      if (
        random.uniform() < 0.3 ||
        shortfalls.some((one) => one.market === market && one.fallenSide === fallenSide)
      )
        continue;
      const held = quantity.reduce(
        (sum, one, row) =>
          accounts.market[row] === market && one * fallenSide < 0 ? sum + Math.abs(one) : sum,
        0,
      );
      const contracts = held * random.uniform() ** 3 * 1.2;
      if (contracts > 0)
        shortfalls.push({ market, fallenSide, contracts, loss: contracts * mark[market] * 0.01 });
    }
  }
  return shortfalls;
}

/** Both kernels over the same rounds. @param asked markets in which anything is asked for in a round. */
function bothOver(seed: number, kind: BookKind, asked: number) {
  const [fast, slow] = [0, 1].map(() => deleveragedBook(randomBook(seed, kind)));
  const random = new Random(`rounds ${seed}`);
  const isGone = Uint8Array.from(fast.index.state, (state) =>
    state !== GROUP_STATE.known || random.uniform() < 0.1 ? 1 : 0,
  );
  const deleveraging = new Deleveraging(fast, isGone);
  const results = Array.from({ length: ROUNDS }, () => {
    const shortfalls = roundOf(random, slow, asked);
    fast.mark.set(slow.mark);
    const touched: [number[], number[]] = [[], []];
    const result = {
      shortfalls,
      fast: deleveraging.close(shortfalls, (group) => touched[0].push(group)),
      slow: plainDeleverage(slow, isGone, shortfalls, (group) => touched[1].push(group)),
    };
    // Whoever is told of falls later: the next ranking leaves them out.
    for (const group of touched[0].slice(0, 3)) isGone[group] = 1;
    return { ...result, touched };
  });
  return { fast, slow, results };
}

describe('deleveraging', () => {
  it.each(SEEDS)(
    'closes the same positions, in the same order and to the bit, as putting all in order does (seed %i)',
    (seed) => {
      for (const [kind, asked] of [
        [SMALL, 4],
        [SMALL, 1],
        [WIDE, 60],
        [WIDE, 2],
      ] as const) {
        const { fast, slow, results } = bothOver(seed, kind, asked);
        for (const result of results) {
          expect(result.touched[0]).toEqual(result.touched[1]);
          expect(result.fast).toEqual(result.slow);
        }
        expect(fast.quantity).toEqual(slow.quantity);
        expect(fast.received).toEqual(slow.received);
      }
    },
  );

  it('meets rounds that take next to nothing, and rounds that take all that was won', () => {
    const outcomes = SEEDS.flatMap((seed) => {
      const { results } = bothOver(seed, SMALL, 4);
      return results.flatMap(({ shortfalls, fast }) =>
        shortfalls.map(({ loss }, i) => ({ loss, paid: fast[i].paid })),
      );
    });
    expect(outcomes.filter(({ loss, paid }) => paid > 0 && paid < 0.5 * loss).length).toBeGreaterThan(50);
    expect(outcomes.filter(({ loss, paid }) => paid > 0.99 * loss).length).toBeGreaterThan(50);
  });

  it('takes the first row of those that are ranked alike', () => {
    const book = randomBook(1, SMALL);
    const one = { ...book.accounts };
    const rows = one.quantity.length;
    // Everybody holds the same.
    one.quantity.fill(10);
    one.entryPrice.fill(100);
    one.market.fill(0);
    one.isolatedMargin.fill(500);
    const markets = { ...book.markets, mark: book.markets.mark.map(() => 110) };
    const fast = deleveragedBook({ ...book, accounts: one, markets });
    const isGone = Uint8Array.from(fast.index.state, (state) => (state === GROUP_STATE.known ? 0 : 1));
    new Deleveraging(fast, isGone).close([{ market: 0, fallenSide: -1, contracts: 35, loss: 1 }], () => {});
    const known = Array.from({ length: rows }, (_, row) => row).filter(
      (row) => fast.index.groupOfPosition[row] >= 0,
    );
    expect(known.slice(0, 5).map((row) => fast.quantity[row])).toEqual([0, 0, 0, 5, 10]);
  });
});
