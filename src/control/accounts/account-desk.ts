import { AccountBook, type AccountRecord } from '../../accounts/book/account-book.ts';
import { type AccountCode, type AccountFault, readAccount } from '../../accounts/book/account-line.ts';
import { AccountScanner } from '../../accounts/book/account-scan.ts';
import type { AccountVersions } from '../../accounts/book/account-versions.ts';
import { JournalWriter, type StageRecord } from '../../accounts/book/journal.ts';
import { MarketRows, type MarketTerms } from '../../accounts/book/market-rows.ts';
import { captureBook, restoreBook } from '../../accounts/book/snapshot.ts';
import type { UserFilter } from '../../accounts/book/user-filter.ts';
import { AccountEngine, type Planner } from '../../accounts/interventions/engine.ts';
import type { Intervention } from '../../accounts/interventions/intervention.ts';
import { ACCOUNT_STATUSES, type AccountStatus } from '../../accounts/interventions/statuses.ts';
import type { AccountPolicy } from '../../limits/account-policy.ts';
import type { MarkPrice } from '../guard/prices.ts';
import { partitionOf } from '../streams/partition.ts';
import { type VersionedReadings, wordsOf } from './kept-readings.ts';
import type { AccountStore, InterventionFilter, Positions } from './ports.ts';

/** Why a line of a batch has no effect. */
export interface RefusedLine {
  /** From 1. */
  readonly line: number;
  /** As far as it could be read. */
  readonly accountId: string | null;
  /** `ignored` where a later state is known. */
  readonly outcome: 'ignored' | 'refused';
  readonly code: AccountCode;
  readonly message: string;
}

export interface BatchReport {
  readonly total: number;
  readonly accepted: number;
  readonly refused: readonly RefusedLine[];
}

/** An account as it stands, with the marks that it is measured at. */
export interface AccountReading {
  readonly account: HeldAccount;
  readonly status: AccountStatus;
  /** Of the markets that it holds; null while none is known. */
  readonly marks: Readonly<Record<string, number | null>>;
  /** When each of them was so, epoch milliseconds. */
  readonly markedAt: Readonly<Record<string, number | null>>;
}

export interface HeldAccount {
  readonly accountId: string;
  readonly userId: string;
  readonly marginMode: 'cross' | 'isolated';
  readonly collateral: number;
  readonly sequence: number;
  readonly positions: readonly {
    readonly symbol: string;
    readonly quantity: number;
    readonly entryPrice: number;
    readonly isolatedMargin: number | null;
  }[];
}

export interface AccountSummary {
  readonly accounts: number;
  /** Of shared margins and isolated positions together. */
  readonly byStatus: Readonly<Record<AccountStatus, number>>;
  readonly lastIntervention: number;
  /** Bytes of batches since the last snapshot. */
  readonly journalBytes: number;
}

export interface AccountDeskOptions {
  readonly store: AccountStore;
  readonly policy: AccountPolicy;
  /** Made for the book once that is there. */
  readonly plannerOf: (book: AccountBook) => Planner;
  /** A snapshot is due after so many bytes of batches. */
  readonly snapshotBytes?: number;
  /** Is told every user that has an account, and when all that are stored are in it. */
  readonly holders?: UserFilter;
  /** Counts what changes, for whoever keeps what was read. */
  readonly versions?: AccountVersions;
  /** The part of all accounts that are taken here; without it all are. */
  readonly shard?: ShardPlace;
}

export interface ShardPlace {
  readonly partition: number;
  readonly partitions: number;
}

const SNAPSHOT_BYTES = 64 * 1024 * 1024;

interface Beside {
  readonly stages: readonly StageRecord[];
  readonly limitsVersion: number;
}

/**
 * All accounts, in memory and durable. What comes in is taken at once, and counts once `commit` has returned: nothing may be
 * acknowledged before. A desk whose commit has failed is ahead of its store, and must be recovered anew.
 */
export class AccountDesk {
  readonly engine: AccountEngine;
  readonly #store: AccountStore;
  readonly #snapshotBytes: number;
  readonly #journal = new JournalWriter();
  readonly #scanner: AccountScanner;
  readonly #holders: UserFilter | undefined;
  readonly #versions: AccountVersions | undefined;
  readonly #shard: ShardPlace | undefined;
  #told: Intervention[] = [];
  /** How far streams were taken in since the last commit. */
  #reached: Positions = {};
  #lastBatch: number;
  #journalBytes: number;
  #snapshot: Promise<void> | null = null;

  private constructor(
    engine: AccountEngine,
    { store, snapshotBytes, holders, versions, shard }: AccountDeskOptions,
    lastBatch: number,
    journalBytes: number,
  ) {
    this.engine = engine;
    this.#scanner = new AccountScanner(engine.book.markets);
    this.#store = store;
    this.#snapshotBytes = snapshotBytes ?? SNAPSHOT_BYTES;
    this.#holders = holders;
    this.#versions = versions;
    this.#shard = shard;
    this.#lastBatch = lastBatch;
    this.#journalBytes = journalBytes;
  }

  /** Every start is a recovery: the newest snapshot, and the batches after it. Nothing is told again. */
  static recover(options: AccountDeskOptions): AccountDesk {
    const { store, policy, plannerOf, versions } = options;
    versions?.everythingChanges();
    const snapshot = store.snapshot();
    const restored = snapshot === null ? null : restoreBook(snapshot.chunks);
    const book = restored?.book ?? new AccountBook(new MarketRows());
    const lastSequence = store.lastIntervention();
    const engine = new AccountEngine({ book, policy, planner: plannerOf(book), lastSequence, versions });
    const beside = restored?.beside as Beside | undefined;
    engine.limitsVersion = beside?.limitsVersion ?? 0;
    for (const stage of beside?.stages ?? []) engine.restoreStatus(stage);
    let lastBatch = snapshot?.upTo ?? 0;
    let bytes = 0;
    for (const { sequence, body } of store.batchesAfter(lastBatch)) {
      engine.replay(body);
      lastBatch = sequence;
      bytes += body.length;
    }
    const { holders } = options;
    if (holders !== undefined) {
      for (let row = 0; row < engine.book.accounts; row++) holders.add(engine.book.userIdOf(row));
      holders.complete();
    }
    return new AccountDesk(engine, options, lastBatch, bytes);
  }

  get book(): AccountBook {
    return this.engine.book;
  }

  /** Lines of accounts, NDJSON. Bad ones are told by their number; the good ones count. */
  takeLines(text: string, at: number): BatchReport {
    const refused: RefusedLine[] = [];
    let [total, line] = [0, 0];
    for (let from = 0; from < text.length; ) {
      const newline = text.indexOf('\n', from);
      const end = newline < 0 ? text.length : newline;
      line++;
      const record = this.#scanner.read(text, from, end);
      const content = record === null ? text.slice(from, end) : '';
      from = end + 1;
      if (record === null && content.trim() === '') continue;
      total++;
      const fault = record === null ? this.#takeLine(content, at) : this.#takeRecord(record, at);
      if (fault !== null) refused.push({ line, ...fault });
    }
    return { total, accepted: total - refused.length, refused };
  }

  /** One account, as parsed JSON. @returns why it is not taken; null where it is. */
  take(value: unknown, at: number): AccountFault | null {
    const record = readAccount(value, this.book.markets);
    return 'code' in record ? record : this.#put(record, at);
  }

  /** Believed marks; those of markets that are not known here have no effect. */
  mark(prices: readonly MarkPrice[], at: number): void {
    const { markets } = this.book;
    const marks = prices
      .map(({ symbol, price, at: markedAt }) => ({ market: markets.find(symbol), price, at: markedAt }))
      .filter(({ market }) => market >= 0);
    if (marks.length > 0) this.#told.push(...this.engine.mark(marks, at, this.#journal));
  }

  setTerms(terms: readonly MarketTerms[], version: number, at: number): void {
    this.#told.push(...this.engine.setTerms(terms, version, at, this.#journal));
  }

  /** Looks at all accounts under the policy of this start. */
  lookAtAll(at: number): void {
    this.#told.push(...this.engine.lookAtAll(at, this.#journal));
  }

  elapse(now: number): void {
    this.#told.push(...this.engine.elapse(now, this.#journal));
  }

  /** Streams were taken in up to here: stored with what that caused, so that nothing of them counts twice. */
  reached(positions: Positions): void {
    this.#reached = { ...this.#reached, ...positions };
  }

  /** Whether an account is taken here. */
  belongs(accountId: string): boolean {
    const shard = this.#shard;
    return shard === undefined || partitionOf(accountId, shard.partitions) === shard.partition;
  }

  /**
   * Makes everything durable that has come in since the last time.
   *
   * @returns the interventions that are now to be told.
   */
  async commit(): Promise<readonly Intervention[]> {
    const interventions = this.#told;
    const positions = this.#reached;
    const isStill = Object.keys(positions).length === 0;
    if (this.#journal.isEmpty && interventions.length === 0 && isStill) return [];
    this.#told = [];
    this.#reached = {};
    const body = this.#journal.taken();
    const batch = isStill ? { body, interventions } : { body, interventions, positions };
    this.#lastBatch = await this.#store.append([batch]);
    this.#journalBytes += body.length;
    return interventions;
  }

  /** Begins a snapshot where one is due, between two commits. @returns null where none is. */
  snapshotIfDue(): Promise<void> | null {
    if (this.#snapshot !== null || this.#journalBytes < this.#snapshotBytes) return null;
    return this.snapshotNow();
  }

  /** Nothing may be taken and not committed when this is called. */
  snapshotNow(): Promise<void> {
    const beside: Beside = { stages: this.engine.stageRecords(), limitsVersion: this.engine.limitsVersion };
    const snapshot = { upTo: this.#lastBatch, chunks: captureBook(this.book, beside) };
    const bytes = this.#journalBytes;
    this.#snapshot = this.#store
      .saveSnapshot(snapshot)
      .then(() => {
        this.#journalBytes -= bytes;
      })
      .finally(() => {
        this.#snapshot = null;
      });
    return this.#snapshot;
  }

  reading(accountId: string): AccountReading | null {
    const row = this.book.find(accountId);
    return row < 0 ? null : this.#readingOf(row);
  }

  /** All accounts of a user. */
  readingsOfUser(userId: string): readonly AccountReading[] {
    return this.book.accountsOf(userId).map((row) => this.#readingOf(row));
  }

  /** The same, with what they are known by as long as nothing of them changes; null where nobody counts that. */
  versionedReadings(userId: string): VersionedReadings | null {
    const versions = this.#versions;
    if (versions === undefined) return null;
    const readings = this.readingsOfUser(userId);
    return { readings, version: versions.sumOf(wordsOf(versions, userId, readings)) };
  }

  /** The newest believed mark of each market that has one: part of what is durable. */
  marks(): readonly MarkPrice[] {
    const { symbols, mark, markedAt } = this.book.markets;
    return symbols.flatMap((symbol, row) =>
      Number.isNaN(mark[row]) ? [] : [{ symbol, price: mark[row], at: markedAt[row] }],
    );
  }

  interventionsAfter(sequence: number, limit: number, filter?: InterventionFilter): readonly Intervention[] {
    return this.#store.interventionsAfter(sequence, limit, filter);
  }

  summary(): AccountSummary {
    const { book } = this;
    const counts = new Array<number>(ACCOUNT_STATUSES.length).fill(0);
    for (let row = 0; row < book.accounts; row++) counts[this.#statusOf(row)]++;
    return {
      accounts: book.accounts,
      byStatus: Object.fromEntries(
        ACCOUNT_STATUSES.map((status, i) => [status, counts[i]]),
      ) as AccountSummary['byStatus'],
      lastIntervention: this.engine.lastSequence,
      journalBytes: this.#journalBytes,
    };
  }

  #takeRecord(record: AccountRecord, at: number): Omit<RefusedLine, 'line'> | null {
    const fault = this.#put(record, at);
    return fault === null ? null : { accountId: record.accountId, outcome: outcomeOf(fault), ...fault };
  }

  #takeLine(content: string, at: number): Omit<RefusedLine, 'line'> | null {
    let value: unknown;
    try {
      value = JSON.parse(content);
    } catch {
      return { accountId: null, outcome: 'refused', code: 'ACCOUNT_INVALID', message: 'not valid JSON' };
    }
    const fault = this.take(value, at);
    if (fault === null) return null;
    const { accountId } = (value ?? {}) as { accountId?: unknown };
    const named = typeof accountId === 'string' ? accountId.slice(0, 64) : null;
    return { accountId: named, outcome: outcomeOf(fault), ...fault };
  }

  #put(record: AccountRecord, at: number): AccountFault | null {
    if (!this.belongs(record.accountId)) return this.#elsewhere(record.accountId);
    const told = this.engine.put(record, at, this.#journal);
    if (told === null)
      return { code: 'ACCOUNT_OUT_OF_ORDER', message: 'a state of this sequence or a later one is known' };
    this.#holders?.add(record.userId);
    if (told.length > 0) this.#told.push(...told);
    return null;
  }

  #elsewhere(accountId: string): AccountFault {
    const { partition, partitions } = this.#shard ?? { partition: 0, partitions: 1 };
    const own = partitionOf(accountId, partitions);
    const message = `its partition is ${own} of ${partitions}, and this is ${partition}`;
    return { code: 'ACCOUNT_ELSEWHERE', message };
  }

  #readingOf(row: number): AccountReading {
    const { markets } = this.book;
    const { isIsolated, positions, ...record } = this.book.recordOf(row);
    const held = positions.map(({ market, isolatedMargin, ...position }) => ({
      symbol: markets.symbols[market],
      ...position,
      isolatedMargin: Number.isNaN(isolatedMargin) ? null : isolatedMargin,
    }));
    const known = (column: Float64Array): Readonly<Record<string, number | null>> =>
      Object.fromEntries(
        positions.map(({ market }) => [
          markets.symbols[market],
          Number.isFinite(column[market]) ? column[market] : null,
        ]),
      );
    return {
      account: { ...record, marginMode: isIsolated ? 'isolated' : 'cross', positions: held },
      status: ACCOUNT_STATUSES[this.#statusOf(row)],
      marks: known(markets.mark),
      markedAt: known(markets.markedAt),
    };
  }

  /** The worst of an account. */
  #statusOf(row: number): number {
    const { status, positionStatus, firstPosition, positionCount } = this.book;
    let worst = status[row];
    const first = firstPosition[row];
    for (let position = first; position < first + positionCount[row]; position++)
      if (positionStatus[position] > worst) worst = positionStatus[position];
    return worst;
  }
}

function outcomeOf({ code }: AccountFault): RefusedLine['outcome'] {
  return code === 'ACCOUNT_OUT_OF_ORDER' ? 'ignored' : 'refused';
}
