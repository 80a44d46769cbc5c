import { expect, test } from 'vitest';
import { NO_GOVERNANCE, type Override } from '../limits/governance.ts';
import { nextMoveAt } from '../limits/governor.ts';
import { DEFAULT_GUARD_POLICY } from '../limits/guard-policy.ts';
import { DEFAULT_POLICY } from '../limits/policy.ts';
import type { LimitBook } from '../limits/types.ts';
import type { Proposal } from './decision-cycle.ts';
import { IntrabarGuard } from './guard/intrabar-guard.ts';
import { engineOn, HOUR, MemoryMarkets, NOW, TestModel } from './test-market-data.ts';

const override: Override = {
  ...{ id: 'override-1', symbol: 'AUSDT', maxLeverage: 1, mayLoosen: false, reason: 'a test' },
  ...{ requestedBy: 'ann', requestedAt: NOW, approvedBy: null, approvedAt: null },
  expiresAt: NOW + 20 * HOUR,
};
const governance = { ...NO_GOVERNANCE, overrides: [override] };
const pace = DEFAULT_POLICY.governor.tightenPaceHours * HOUR;

test('a decision is made without a new bar when a tightening that stopped at its floor may go on', async () => {
  const engine = engineOn(new MemoryMarkets(), { predictor: new TestModel(), reason: '' });
  const decide = async (previous: LimitBook | null, at: number, governed = NO_GOVERNANCE) =>
    (await engine.propose(previous, at, governed))?.book ?? null;
  const first = await decide(null, NOW);
  const second = await decide(first, NOW + 1000, governance);
  expect(second?.markets[0].governor.paced).toBe(true);
  expect(await decide(second, NOW + 999 + pace, governance)).toBeNull();
  const third = await decide(second, NOW + 1000 + pace, governance);
  const leverages = [first, second, third].map((book) => book?.markets[0].brackets[0].maxLeverage ?? 0);
  expect(leverages).toEqual([...leverages].sort((a, b) => b - a));
  expect(new Set(leverages).size).toBe(3);
});

test('a market whose pace is over does not wait for the next bar because prices had another one decided first', async () => {
  const engine = engineOn(new MemoryMarkets(), { predictor: new TestModel(), reason: '' });
  const guard = new IntrabarGuard(DEFAULT_GUARD_POLICY);
  const first = (await engine.propose(null, NOW, NO_GOVERNANCE)) as Proposal;
  const paced = (await engine.propose(first.book, NOW + 1000, governance)) as Proposal;
  expect(paced.book.markets[0].governor.paced).toBe(true);
  guard.published(paced.book, first.facts.closes);
  const at = NOW + 1000 + pace;
  const price = 0.85 * (first.facts.closes?.BUSDT.price ?? Number.NaN);
  expect(guard.take([{ symbol: 'BUSDT', price, at }], at)).toEqual([null]);
  const guarded = (await engine.propose(paced.book, at, governance, guard.report())) as Proposal;
  expect(guarded.facts.guarded).toEqual(['BUSDT']);
  const next = await engine.propose(guarded.book, at + 1, governance);
  expect(next?.facts.guarded).toBeUndefined();
  const [before, after] = [paced, next].map((proposal) => proposal?.book.markets[0].brackets[0].maxLeverage);
  expect(after).toBeLessThan(before ?? 0);
});

test('a market moves next when its pace is over or when a table for its positions is due, and never in the past', async () => {
  const engine = engineOn(new MemoryMarkets(), { predictor: new TestModel(), reason: '' });
  const book = (await engine.propose(null, NOW, NO_GOVERNANCE))?.book as LimitBook;
  const [market] = book.markets;
  const announced = [5, 9].map((later) => ({
    brackets: market.brackets,
    announcedAt: NOW,
    effectiveAt: NOW + later,
  }));
  expect(nextMoveAt(book, DEFAULT_POLICY)).toBe(Number.POSITIVE_INFINITY);
  const waiting = { ...book, markets: [{ ...market, announced }] };
  expect(nextMoveAt(waiting, DEFAULT_POLICY)).toBe(NOW + 5);
  expect(nextMoveAt({ ...waiting, decidedAt: NOW + 5 }, DEFAULT_POLICY)).toBe(NOW + 9);
  const paced = { ...market, governor: { ...market.governor, changedAt: NOW, paced: true } };
  expect(nextMoveAt({ ...book, markets: [paced] }, DEFAULT_POLICY)).toBe(NOW + pace);
});
