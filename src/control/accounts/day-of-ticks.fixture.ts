import { TEST_MARKS, TEST_TERMS } from '../../accounts/book/test-accounts.ts';
import { DEFAULT_POLICY } from '../../limits/policy.ts';
import { Random } from '../../random.ts';
import { AccountDesk } from './account-desk.ts';
import { KnownLiquidity } from './known-liquidity.ts';
import { plannerFor } from './planner.ts';
import type { AccountStore } from './ports.ts';

/** A simulated day of three markets, a tick each a minute, with accounts that come and change: the same for every process. */
export const STEPS = 1440;
const ACCOUNTS = 150;
const START = Date.UTC(2024, 0, 1);
const MINUTE = 60_000;

export function deskOn(store: AccountStore, snapshotBytes: number): AccountDesk {
  const policy = DEFAULT_POLICY;
  return AccountDesk.recover({
    store,
    policy: policy.accounts,
    plannerOf: (book) => plannerFor(book, policy, new KnownLiquidity()),
    snapshotBytes,
  });
}

/** What happens in one minute. It is taken and not committed. */
export function step(desk: AccountDesk, minute: number): void {
  const at = START + minute * MINUTE;
  if (minute === 0) desk.setTerms(TEST_TERMS, 1, at);
  const random = new Random(minute + 1);
  if (minute < ACCOUNTS || random.uniform() < 0.2)
    desk.takeLines(accountLine(minute < ACCOUNTS ? minute : random.integer(ACCOUNTS), random, minute), at);
  const prices = [0, 1, 2].map((market) => ({
    symbol: TEST_TERMS[market].symbol,
    price: priceAt(market, minute),
    at,
  }));
  desk.mark(prices, at);
  desk.elapse(at);
}

function accountLine(account: number, random: Random, minute: number): string {
  const market = random.integer(3);
  const { symbol, contractSize } = TEST_TERMS[market];
  const price = priceAt(market, minute);
  const notional = 1000 + 60_000 * random.uniform();
  const leverage = 3 + 30 * random.uniform();
  const isIsolated = random.uniform() < 0.3;
  return JSON.stringify({
    accountId: `account-${account}`,
    userId: `user-${account % 40}`,
    marginMode: isIsolated ? 'isolated' : 'cross',
    equity: (notional / leverage).toFixed(4),
    sequence: minute + 1,
    positions: [
      {
        symbol,
        side: random.uniform() < 0.5 ? 'long' : 'short',
        quantity: (notional / price / contractSize).toFixed(8),
        entryPrice: price.toFixed(8),
        ...(isIsolated ? { isolatedMargin: (notional / leverage).toFixed(4) } : {}),
      },
    ],
  });
}

/** A random walk of a tenth of a percent a minute, computed anew so that no process has a memory of it. */
const WALKS = TEST_MARKS.slice(0, 3).map((start, market) => {
  const random = new Random(`walk ${market}`);
  const prices = new Float64Array(STEPS);
  for (let minute = 0, price = start; minute < STEPS; minute++) {
    price *= Math.exp(0.001 * random.normal());
    prices[minute] = price;
  }
  return prices;
});

function priceAt(market: number, minute: number): number {
  return WALKS[market][minute];
}
