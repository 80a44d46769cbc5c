import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_ACCOUNT_POLICY } from '../../limits/account-policy.ts';
import type { Bracket } from '../../limits/types.ts';
import { AccountBook, type AccountRecord, type PositionRecord } from '../book/account-book.ts';
import { JournalWriter, type StageRecord } from '../book/journal.ts';
import type { MarketTerms } from '../book/market-rows.ts';
import { captureBook, restoreBook } from '../book/snapshot.ts';
import { anyRecord, schedule, TEST_MARKS, TEST_TERMS, testMarkets } from '../book/test-accounts.ts';
import { AccountEngine } from './engine.ts';
import { INTERVENTION_KINDS, type Intervention } from './intervention.ts';
import { ACCOUNT_STATUSES } from './statuses.ts';

const POLICY = DEFAULT_ACCOUNT_POLICY;
const RATIOS = [0.6, 0.75, 0.85, 0.95, 1, 1.5];
const KINDS = INTERVENTION_KINDS.filter((kind) => kind !== 'relief');

function engineOn(book: AccountBook, lastSequence = 0): AccountEngine {
  return new AccountEngine({ book, policy: POLICY, planner: () => [], lastSequence });
}

/** The same margins from the tables as they are published, one position at a time. */
function slowMargin(
  collateral: number,
  positions: readonly PositionRecord[],
  terms: readonly MarketTerms[],
  marks: readonly number[],
) {
  let [equity, maintenance] = [collateral, 0];
  for (const { market, quantity, entryPrice } of positions) {
    const { kind, contractSize, maintenance: table } = terms[market];
    const mark = marks[market];
    const contracts = quantity * contractSize;
    const notional = kind === 'linear' ? Math.abs(contracts) * mark : Math.abs(contracts);
    const bracket = table.find(({ notionalCap }) => notional <= notionalCap) ?? (table.at(-1) as Bracket);
    const asked = (notional * bracket.maintenanceMarginRatePpm - bracket.maintenanceAmountMicros) / 1e6;
    equity += kind === 'linear' ? contracts * (mark - entryPrice) : contracts * (1 / entryPrice - 1 / mark);
    maintenance += kind === 'linear' ? asked : asked / mark;
  }
  return { equity, maintenance };
}

/** Follows every account on its own, and says which thresholds were crossed, in words of its own. */
class Judge {
  readonly accounts = new Map<string, AccountRecord>();
  readonly levels = new Map<string, number>();
  readonly marks = [...TEST_MARKS];
  terms = TEST_TERMS;

  /** Of one account, since the last look. */
  crossings(accountId: string): string[] {
    const record = this.accounts.get(accountId) as AccountRecord;
    const shared = record.positions.filter((one) => Number.isNaN(one.isolatedMargin));
    const own = record.positions.filter((one) => !Number.isNaN(one.isolatedMargin));
    return [
      ...this.#unit(accountId, '', slowMargin(record.collateral, shared, this.terms, this.marks)),
      ...own.flatMap((one) =>
        this.#unit(
          accountId,
          this.#nameOf(one),
          slowMargin(one.isolatedMargin, [one], this.terms, this.marks),
        ),
      ),
    ];
  }

  put(record: AccountRecord): void {
    this.accounts.set(record.accountId, record);
    const kept = record.positions.map((one) => `${record.accountId} ${this.#nameOf(one)}`);
    const isOwn = record.positions.map((one) => !Number.isNaN(one.isolatedMargin));
    for (const key of this.levels.keys()) {
      if (!key.startsWith(`${record.accountId} `) || key === `${record.accountId} `) continue;
      const i = kept.indexOf(key);
      if (i < 0 || !isOwn[i]) this.levels.delete(key);
    }
  }

  #nameOf({ market, quantity }: PositionRecord): string {
    return `${this.terms[market].symbol} ${quantity > 0 ? 'long' : 'short'}`;
  }

  #unit(accountId: string, name: string, { equity, maintenance }: ReturnType<typeof slowMargin>): string[] {
    const key = `${accountId} ${name}`;
    const before = this.levels.get(key) ?? 0;
    const isSpent = equity < 0 || (equity === 0 && maintenance > 0);
    const ratio = isSpent ? Number.POSITIVE_INFINITY : maintenance === 0 ? 0 : maintenance / equity;
    let level = RATIOS.filter((threshold) => ratio >= threshold).length;
    // On its way down a threshold holds until the ratio is a hundredth below it.
    if (level < before && ratio > 0)
      level = Math.max(
        level,
        Math.min(before, RATIOS.filter((threshold) => ratio >= threshold - 0.01).length),
      );
    this.levels.set(key, level);
    if (level < before) return [`${key} relief ${ACCOUNT_STATUSES[level]}`];
    return KINDS.slice(before, level).map((kind) => `${key} ${kind} ${kind}`);
  }
}

function inWords({ accountId, symbol, side, kind, status }: Intervention): string {
  return `${accountId} ${symbol === null ? '' : `${symbol} ${side}`} ${kind} ${status}`;
}

type Step =
  | { readonly put: AccountRecord }
  | { readonly market: number; readonly factor: number }
  | { readonly leverage: number }
  | { readonly crash: true; readonly isSnapshot: boolean };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: anyRecord.map((put) => ({ put })) },
  {
    weight: 6,
    arbitrary: fc.record({
      market: fc.integer({ min: 0, max: 2 }),
      factor: fc.double({ min: 0.85, max: 1.17, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom(50, 20, 5).map((leverage) => ({ leverage })) },
  { weight: 2, arbitrary: fc.boolean().map((isSnapshot) => ({ crash: true as const, isSnapshot })) },
);

describe('interventions', () => {
  test('there is one for each threshold that is crossed, with or without a crash in between', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 80 }), (steps) => {
        const judge = new Judge();
        let engine = engineOn(new AccountBook(testMarkets()));
        let snapshot: Uint8Array[] = [...captureBook(engine.book, { stages: [] })];
        let stored: Uint8Array[] = [];
        const journal = new JournalWriter();
        let now = 0;
        let sequence = 0;
        for (const step of steps) {
          now += 1000;
          let told: readonly Intervention[] = [];
          let expected: string[] = [];
          if ('put' in step) {
            judge.put(step.put);
            told = engine.put(step.put, now, journal) ?? [];
            expected = judge.crossings(step.put.accountId);
          } else if ('market' in step) {
            judge.marks[step.market] *= step.factor;
            told = engine.mark(
              [{ market: step.market, price: judge.marks[step.market], at: now }],
              now,
              journal,
            );
            expected = [...judge.accounts.keys()].flatMap((id) => judge.crossings(id));
          } else if ('leverage' in step) {
            const table = schedule([step.leverage, 4, 2, 1]);
            judge.terms = [
              { ...judge.terms[0], brackets: table, maintenance: table },
              ...judge.terms.slice(1),
            ];
            told = engine.setTerms(judge.terms, 2, now, journal);
            expected = [...judge.accounts.keys()].flatMap((id) => judge.crossings(id));
          } else {
            if (step.isSnapshot) {
              snapshot = [...captureBook(engine.book, { stages: engine.stageRecords() })];
              stored = [];
            }
            const { book, beside } = restoreBook(snapshot);
            engine = engineOn(book, sequence);
            for (const stage of (beside as { stages: StageRecord[] }).stages) engine.restoreStatus(stage);
            for (const batch of stored) engine.replay(batch);
            told = engine.lookAtAll(now, journal);
          }
          if (!journal.isEmpty) stored.push(journal.taken());
          expect(told.map(inWords).sort()).toEqual(expected.sort());
          for (const one of told) expect(one.sequence).toBe(++sequence);
        }
      }),
      { seed: 1, numRuns: 400 },
    );
  });

  const POSITION = { market: 0, quantity: 1, entryPrice: 30_000, isolatedMargin: Number.NaN };
  const ACCOUNT = { accountId: 'a', userId: 'u', isIsolated: false, collateral: 400, sequence: 0 };

  test('of a reduction come in stages, a cool-down apart, until the last slice or the way back', () => {
    const journal = new JournalWriter();
    const engine = engineOn(new AccountBook(testMarkets()));
    // Maintenance margin is a hundredth of 30,000 at the mark: 300 of 400.
    const first = engine.put({ ...ACCOUNT, positions: [POSITION] }, 0, journal);
    expect(first?.map(({ kind }) => kind)).toEqual(['warning', 'marginCall']);
    expect(first?.[1]).toMatchObject({ equity: 400, maintenanceMargin: 300, marginRatio: 0.75, stage: 0 });
    expect(first?.[1].shortfall).toBeCloseTo(300 / 0.7 - 400, 9);
    const price = 30_000 - 86;
    const told = engine.mark([{ market: 0, price, at: 1000 }], 1000, journal);
    expect(told.map(({ kind, stage, cause }) => [kind, stage, cause])).toEqual([
      ['reduceOnly', 0, 'price'],
      ['reduction', 1, 'price'],
    ]);
    expect(told[0].movedMarkets).toEqual(['BTCUSDT']);
    const stages: number[] = [];
    expect(engine.elapse(engine.nextDueAt - 1, journal)).toEqual([]);
    while (engine.nextDueAt < Number.POSITIVE_INFINITY) {
      const [one] = engine.elapse(engine.nextDueAt, journal);
      expect(one).toMatchObject({ kind: 'reduction', cause: 'coolDown', status: 'reduction' });
      stages.push(one.stage);
    }
    expect(stages).toEqual([2, 3, 4, 5]);
    const back = engine.mark([{ market: 0, price: 31_000, at: 2000 }], 2000, journal);
    expect(back.map(({ kind, status }) => [kind, status])).toEqual([['relief', 'healthy']]);
    expect(engine.stageRecords()).toEqual([]);
  });

  test('go on in their stages after a crash', () => {
    const journal = new JournalWriter();
    const engine = engineOn(new AccountBook(testMarkets()));
    engine.put({ ...ACCOUNT, collateral: 312, positions: [POSITION] }, 0, journal);
    engine.elapse(engine.nextDueAt, journal);
    const again = engineOn(new AccountBook(testMarkets()), engine.lastSequence);
    again.replay(journal.taken());
    expect(again.stageRecords()).toEqual(engine.stageRecords());
    expect(again.stageRecords()).toMatchObject([{ stage: 2, nextAt: 60_000 }]);
    expect(again.lookAtAll(50_000, journal)).toEqual([]);
    expect(again.elapse(60_000, journal)).toMatchObject([{ stage: 3, sequence: engine.lastSequence + 1 }]);
  });

  test('are not caused by a price that is older than one that is known, nor by an older state of the account', () => {
    const journal = new JournalWriter();
    const engine = engineOn(new AccountBook(testMarkets()));
    engine.put({ ...ACCOUNT, collateral: 1000, sequence: 5, positions: [POSITION] }, 0, journal);
    engine.mark([{ market: 0, price: 30_100, at: 2000 }], 2000, journal);
    expect(engine.mark([{ market: 0, price: 29_000, at: 1999 }], 2001, journal)).toEqual([]);
    expect(
      engine.put({ ...ACCOUNT, collateral: 1, sequence: 5, positions: [POSITION] }, 3000, journal),
    ).toBeNull();
    expect(engine.book.collateral[0]).toBe(1000);
  });

  test('are not for accounts of which something is not known, and come once it is', () => {
    const journal = new JournalWriter();
    const markets = testMarkets();
    markets.mark[0] = Number.NaN;
    const engine = engineOn(new AccountBook(markets));
    expect(engine.put({ ...ACCOUNT, collateral: 1, positions: [POSITION] }, 0, journal)).toEqual([]);
    expect(engine.lookAtAll(1, journal)).toEqual([]);
    const told = engine.mark([{ market: 0, price: 30_000, at: 5 }], 5, journal);
    expect(told.map(({ kind }) => kind)).toEqual(KINDS);
  });

  test('of coin-margined contracts count in the coin', () => {
    const journal = new JournalWriter();
    const engine = engineOn(new AccountBook(testMarkets()));
    // 300 contracts of 100: a notional of 30,000, a maintenance margin of 300 / 30,000 of a coin.
    const positions = [{ ...POSITION, market: 3, quantity: 300 }];
    const told = engine.put({ ...ACCOUNT, collateral: 0.0125, positions }, 0, journal);
    expect(told?.map(({ kind }) => kind)).toEqual(['warning', 'marginCall']);
    expect(told?.[0].maintenanceMargin).toBeCloseTo(0.01, 12);
    // Of 30,000 at 29,970: the loss is 30,000 (1/29,970 − 1/30,000) of a coin.
    const [lower] = engine.mark([{ market: 3, price: 29_970, at: 1 }], 1, journal);
    expect(lower.kind).toBe('reduceOnly');
    expect(lower.equity).toBeCloseTo(0.0125 - 30_000 * (1 / 29_970 - 1 / 30_000), 12);
  });
});
