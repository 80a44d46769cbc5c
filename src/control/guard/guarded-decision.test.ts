import { beforeEach, describe, expect, test } from 'vitest';
import { NO_GOVERNANCE } from '../../limits/governance.ts';
import { DEFAULT_GUARD_POLICY } from '../../limits/guard-policy.ts';
import type { LimitBook } from '../../limits/types.ts';
import type { Proposal } from '../decision-cycle.ts';
import type { DecisionEngine } from '../decision-engine.ts';
import { engineOn, HOUR, MemoryMarkets, NOW, TestModel } from '../test-market-data.ts';
import { IntrabarGuard } from './intrabar-guard.ts';

const MINUTE = 60_000;
let reader: MemoryMarkets;
let engine: DecisionEngine;
let guard: IntrabarGuard;
let book: LimitBook;
let close: number;

async function propose(now: number): Promise<Proposal | null> {
  const proposal = await engine.propose(book, now, NO_GOVERNANCE, guard.report());
  if (proposal !== null) {
    book = proposal.book;
    guard.published(book, proposal.facts.closes);
  }
  return proposal;
}

function fall(symbol: string, share: number, now: number): void {
  expect(guard.take([{ symbol, price: close * (1 - share), at: now }], now)).toEqual([null]);
}

beforeEach(async () => {
  reader = new MemoryMarkets();
  engine = engineOn(reader, { predictor: new TestModel(), reason: '' });
  guard = new IntrabarGuard(DEFAULT_GUARD_POLICY);
  const first = await engine.propose(null, NOW, NO_GOVERNANCE);
  if (first === null) throw new Error('nothing was decided');
  book = first.book;
  guard.published(book, first.facts.closes);
  close = first.facts.closes?.BUSDT.price ?? Number.NaN;
});

describe('a price out of bounds', () => {
  test('has its market decided again on the same bars, without reading any, and the others left as they are', async () => {
    const before = book;
    fall('BUSDT', 0.15, NOW + 5 * MINUTE);
    const { book: after, facts } = (await propose(NOW + 5 * MINUTE)) as Proposal;
    expect(facts).toMatchObject({ guarded: ['BUSDT'], coverage: [], origins: [], fallbackReason: null });
    expect(facts.closes).toBeUndefined();
    expect(reader.loads).toBe(1);
    expect(after).toMatchObject({ version: 2, decidedAt: NOW + 5 * MINUTE, validUntil: before.validUntil });
    expect([after.markets[0], after.markets[2]]).toEqual([before.markets[0], before.markets[2]]);
    expect(after.markets[1].brackets[0].maxLeverage).toBeLessThan(before.markets[1].brackets[0].maxLeverage);
    expect(await propose(NOW + 6 * MINUTE)).toBeNull();
  });

  test('does not put off the renewal of all markets', async () => {
    reader.store(reader.markets.map((history) => ({ ...history })));
    fall('BUSDT', 0.15, NOW + 5 * MINUTE);
    expect((await propose(NOW + 5 * MINUTE))?.facts.guarded).toEqual(['BUSDT']);
    fall('BUSDT', 0.25, NOW + 6 * MINUTE);
    // What is due goes before a second one in a row, with the prices in it.
    const full = (await propose(NOW + 6 * MINUTE)) as Proposal;
    expect(full.facts.guarded).toBeUndefined();
    expect(full.book.markets[1].boundState?.intrabar?.excursion).toBeCloseTo(0.25, 9);
    fall('BUSDT', 0.33, NOW + 7 * MINUTE);
    expect((await propose(NOW + 7 * MINUTE))?.facts.guarded).toEqual(['BUSDT']);
    expect((await propose(NOW + HOUR))?.facts.guarded).toBeUndefined();
  });

  test('of the bar before has no effect on the next one', async () => {
    fall('BUSDT', 0.15, NOW + 5 * MINUTE);
    const late = guard.report();
    const { book: next } = (await engine.propose(book, NOW + HOUR, NO_GOVERNANCE, {
      ...late,
      urgent: [],
    })) as Proposal;
    expect(next.asOf).toBe(NOW + HOUR);
    expect(next.markets[1].boundState?.intrabar).toBeUndefined();
    const again = await engine.propose(next, NOW + HOUR + 1, NO_GOVERNANCE, late);
    expect(again).toBeNull();
  });

  test('is decided with all others where the last book is not the one that is in force', async () => {
    fall('BUSDT', 0.15, NOW + 5 * MINUTE);
    const other = { ...book, hash: 'f'.repeat(64) };
    const { book: after, facts } = (await engine.propose(
      other,
      NOW + 5 * MINUTE,
      NO_GOVERNANCE,
      guard.report(),
    )) as Proposal;
    expect(facts.guarded).toBeUndefined();
    expect(after.markets[1].reasons).toContain('INTRABAR_GUARD');
  });
});
