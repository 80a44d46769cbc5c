import type { AccountPolicy } from '../../limits/account-policy.ts';
import type { AccountBook, AccountRecord } from '../book/account-book.ts';
import type { AccountVersions } from '../book/account-versions.ts';
import { IntList } from '../book/growing.ts';
import { type JournalWriter, readBatch, type StageRecord } from '../book/journal.ts';
import type { MarketTerms } from '../book/market-rows.ts';
import type { ReductionItem } from '../margin/reduction.ts';
import type { Intervention, InterventionCause, InterventionKind } from './intervention.ts';
import { MarginKernel, type UnitMargin } from './margin-kernel.ts';
import { ACCOUNT_STATUSES, nextStatus, STATUS, thresholdsOf } from './statuses.ts';

export interface Mark {
  /** Row of the market. */
  readonly market: number;
  readonly price: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Says what has to be reduced. @param position row of an isolated position; −1 for the account's shared margin. */
export type Planner = (row: number, position: number) => readonly ReductionItem[];

export interface EngineOptions {
  readonly book: AccountBook;
  readonly policy: AccountPolicy;
  readonly planner: Planner;
  /** Of the newest intervention that is stored; 0 for none. */
  readonly lastSequence: number;
  /** Counts what is taken in, for whoever keeps what was read here. */
  readonly versions?: AccountVersions | undefined;
}

interface Stage {
  readonly stage: number;
  readonly nextAt: number;
}

interface Why {
  readonly at: number;
  readonly cause: InterventionCause;
  readonly movedMarkets: readonly string[];
}

/** More moved markets than this are not named one by one. */
const MOST_NAMED = 5;

/** From so many holders of moved markets on, as a share of all accounts, all are looked at in one stride. */
const FULL_SCAN_SHARE = 0.25;

/**
 * The account book with its statuses. Whatever changes margins goes through here, is written into the journal, and comes
 * back as the interventions it causes: each threshold that is crossed, once.
 */
export class AccountEngine {
  readonly book: AccountBook;
  readonly kernel: MarginKernel;
  limitsVersion = 0;
  readonly #policy: AccountPolicy;
  readonly #planner: Planner;
  readonly #versions: AccountVersions | undefined;
  readonly #thresholds;
  readonly #changed = new IntList(1024);
  /** Reductions in stages that go on, by account and unit. */
  readonly #stages = new Map<number, Map<string, Stage>>();
  #sequence: number;

  constructor({ book, policy, planner, lastSequence, versions }: EngineOptions) {
    this.book = book;
    this.#versions = versions;
    this.#policy = policy;
    this.#planner = planner;
    this.#thresholds = thresholdsOf(policy);
    this.kernel = new MarginKernel(book, this.#thresholds);
    this.#sequence = lastSequence;
  }

  get lastSequence(): number {
    return this.#sequence;
  }

  /** Takes an account's state in. What is older than what is known of it is not taken: null. */
  put(record: AccountRecord, at: number, journal: JournalWriter): readonly Intervention[] | null {
    const known = this.book.find(record.accountId);
    if (known >= 0 && record.sequence > 0 && record.sequence <= this.book.sequence[known]) return null;
    // An account may come to another user.
    if (known >= 0) this.#versions?.userChanges(this.book.userIdOf(known));
    this.#versions?.userChanges(record.userId);
    const row = this.#take(record);
    journal.account(record);
    return this.#settle(row, { at, cause: 'account', movedMarkets: [] }, journal, []);
  }

  /** Takes marks in, in the order of their times; an older one than the market's newest changes nothing. */
  mark(marks: readonly Mark[], at: number, journal: JournalWriter): readonly Intervention[] {
    const { markets } = this.book;
    const moved = new Set<number>();
    for (const { market, price, at: markedAt } of marks) {
      if (markedAt < markets.markedAt[market]) continue;
      this.#versions?.marketChanges(markets.symbols[market]);
      markets.mark[market] = price;
      markets.markedAt[market] = markedAt;
      journal.mark(market, price, markedAt);
      moved.add(market);
    }
    const movedMarkets = moved.size > MOST_NAMED ? [] : [...moved].map((market) => markets.symbols[market]);
    return this.#look([...moved], { at, cause: 'price', movedMarkets }, journal);
  }

  /** Takes the markets' tables in. */
  setTerms(terms: readonly MarketTerms[], version: number, at: number, journal: JournalWriter) {
    const changed = terms.filter((one) => !isKnown(one, this.book));
    if (changed.length > 0 || version !== this.limitsVersion) journal.terms(changed, version);
    this.limitsVersion = version;
    if (changed.length === 0) return [];
    this.book.markets.set(changed);
    const rows = changed.map(({ symbol }) => this.book.markets.find(symbol));
    return this.#look(rows, { at, cause: 'limits', movedMarkets: [] }, journal);
  }

  /** Looks at every account: after a start, when the policy may be another one. */
  lookAtAll(at: number, journal: JournalWriter): readonly Intervention[] {
    this.#changed.length = 0;
    this.kernel.scan(0, this.book.accounts, this.#changed);
    return this.#settleChanged({ at, cause: 'policy', movedMarkets: [] }, journal);
  }

  /** When the next stage of some reduction is due; Infinity where none is. */
  get nextDueAt(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const units of this.#stages.values())
      for (const { nextAt } of units.values()) if (nextAt > 0) next = Math.min(next, nextAt);
    return next;
  }

  /** Time has passed: stages whose cool-down is over are asked for. */
  elapse(now: number, journal: JournalWriter): readonly Intervention[] {
    const due = this.#staged().filter(({ nextAt }) => nextAt > 0 && nextAt <= now);
    return due.map(({ unit, stage: before }) => {
      const { row, position, status } = unit;
      const { stage, nextAt } = this.#nextStage(before + 1, now);
      this.#setStage(unit, stage, nextAt);
      journal.status({ row, position, status, stage, nextAt });
      const why: Why = { at: now, cause: 'coolDown', movedMarkets: [] };
      return this.#intervention('reduction', unit, status, status, why, stage);
    });
  }

  /**
   * Takes a batch in that is stored already: nothing is looked at, and nothing told.
   *
   * @throws RangeError for bytes that are no batch.
   */
  replay(batch: Uint8Array): void {
    const { markets } = this.book;
    readBatch(batch, {
      account: (record) => void this.#take(record),
      mark: (market, price, at) => {
        markets.mark[market] = price;
        markets.markedAt[market] = at;
      },
      terms: (terms, version) => {
        markets.set(terms);
        this.limitsVersion = version;
      },
      status: (record) => this.restoreStatus(record),
    });
  }

  /** A status as it was written down. */
  restoreStatus({ row, position, status, stage, nextAt }: StageRecord): void {
    const unit = this.#unit(row, position);
    this.#setStatus(unit, status);
    this.#setStage(unit, stage, nextAt);
  }

  /** Reductions in stages that go on, for a snapshot. */
  stageRecords(): readonly StageRecord[] {
    return this.#staged().map(({ unit: { row, position, status }, stage, nextAt }) => ({
      ...{ row, position, status, stage, nextAt },
    }));
  }

  #staged(): readonly (Stage & { readonly unit: Unit })[] {
    return [...this.#stages].flatMap(([row, units]) =>
      [...units].map(([key, stage]) => ({ ...stage, unit: this.#unitOf(row, key) })),
    );
  }

  /** @param stage 0 takes it away. */
  #setStage(unit: Unit, stage: number, nextAt: number): void {
    const units = this.#stages.get(unit.row) ?? new Map<string, Stage>();
    if (stage > 0) units.set(this.#keyOf(unit), { stage, nextAt });
    else units.delete(this.#keyOf(unit));
    if (units.size > 0) this.#stages.set(unit.row, units);
    else this.#stages.delete(unit.row);
  }

  #take(record: AccountRecord): number {
    const row = this.book.put(record);
    const units = this.#stages.get(row);
    if (units === undefined) return row;
    for (const key of units.keys()) if (this.#unitOf(row, key).status !== STATUS.reduction) units.delete(key);
    if (units.size === 0) this.#stages.delete(row);
    return row;
  }

  #look(moved: readonly number[], why: Why, journal: JournalWriter): readonly Intervention[] {
    const { book, kernel } = this;
    this.#changed.length = 0;
    const holders = moved.reduce((sum, market) => sum + book.holdersOf(market).length, 0);
    if (holders > FULL_SCAN_SHARE * book.accounts) kernel.scan(0, book.accounts, this.#changed);
    else for (const market of moved) kernel.scanHolders(market, this.#changed);
    return this.#settleChanged(why, journal);
  }

  #settleChanged(why: Why, journal: JournalWriter): readonly Intervention[] {
    const rows = this.#changed.values.slice(0, this.#changed.length).sort();
    const interventions: Intervention[] = [];
    for (const row of rows) this.#settle(row, why, journal, interventions);
    return interventions;
  }

  /** Brings the statuses of one account up to date. One that is up to date already has none to tell of. */
  #settle(row: number, why: Why, journal: JournalWriter, told: Intervention[]): Intervention[] {
    const { book } = this;
    const count = book.positionCount[row];
    for (let position = -1; position < count; position++) {
      if (position >= 0 && Number.isNaN(book.isolatedMargin[book.firstPosition[row] + position])) continue;
      const unit = this.#unit(row, position);
      const next = nextStatus(
        unit.status,
        unit.margin.equity,
        unit.margin.maintenanceMargin,
        this.#thresholds,
      );
      if (next !== unit.status) this.#move(unit, next, why, journal, told);
    }
    return told;
  }

  #move(unit: Unit, next: number, why: Why, journal: JournalWriter, told: Intervention[]): void {
    const { row, position, status } = unit;
    const isInStages = next === STATUS.reduction;
    const { stage, nextAt } = isInStages ? this.#nextStage(1, why.at) : { stage: 0, nextAt: 0 };
    this.#setStage(unit, stage, nextAt);
    this.#setStatus(unit, next);
    journal.status({ row, position, status: next, stage, nextAt });
    if (next < status) {
      told.push(this.#intervention('relief', unit, next, status, why, 0));
      return;
    }
    for (let reached = status + 1; reached <= next; reached++) {
      const kind = ACCOUNT_STATUSES[reached] as InterventionKind;
      const stageOf = reached === STATUS.reduction ? 1 : 0;
      told.push(this.#intervention(kind, unit, reached, reached - 1, why, stageOf));
    }
  }

  /** A reduction is asked for in as many stages as a position has slices. */
  #nextStage(stage: number, now: number): Stage {
    const isLast = stage >= Math.ceil(1 / this.#policy.sliceRatio);
    return { stage, nextAt: isLast ? 0 : now + this.#policy.coolDownSeconds * 1000 };
  }

  #intervention(
    kind: InterventionKind,
    { row, position, margin }: Unit,
    status: number,
    previous: number,
    { at, cause, movedMarkets }: Why,
    stage: number,
  ): Intervention {
    const { book } = this;
    const at0 = book.firstPosition[row] + position;
    const target = margin.maintenanceMargin / this.#policy.reductionTargetRatio;
    const isRelief = kind === 'relief';
    const isPlanned = kind === 'reduction' || kind === 'liquidation' || kind === 'backstop';
    return {
      sequence: ++this.#sequence,
      at,
      kind,
      mode: this.#policy.interventionMode,
      cause,
      movedMarkets,
      accountId: book.accountIdOf(row),
      userId: book.userIdOf(row),
      symbol: position < 0 ? null : book.markets.symbols[book.market[at0]],
      side: position < 0 ? null : book.quantity[at0] > 0 ? 'long' : 'short',
      status: ACCOUNT_STATUSES[status],
      previousStatus: ACCOUNT_STATUSES[previous],
      marginRatio: margin.equity > 0 ? margin.maintenanceMargin / margin.equity : null,
      equity: margin.equity,
      maintenanceMargin: margin.maintenanceMargin,
      shortfall: isRelief ? 0 : Math.max(target - margin.equity, 0),
      stage,
      plan: isPlanned ? this.#planner(row, position < 0 ? -1 : at0) : [],
      limitsVersion: this.limitsVersion,
    };
  }

  #unit(row: number, position: number): Unit {
    const { book } = this;
    const at = book.firstPosition[row] + position;
    const status = position < 0 ? book.status[row] : book.positionStatus[at];
    return { row, position, status, margin: this.kernel.marginOf(row, position < 0 ? -1 : at) };
  }

  #setStatus({ row, position }: Unit, status: number): void {
    this.#versions?.userChanges(this.book.userIdOf(row));
    if (position < 0) this.book.status[row] = status;
    else this.book.positionStatus[this.book.firstPosition[row] + position] = status;
  }

  /** Names a unit within its account for as long as it lives, whatever becomes of the positions beside it. */
  #keyOf({ row, position }: Unit): string {
    if (position < 0) return SHARED;
    const at = this.book.firstPosition[row] + position;
    return `${this.book.market[at]}:${this.book.quantity[at] > 0}`;
  }

  #unitOf(row: number, key: string): Unit {
    if (key === SHARED) return this.#unit(row, -1);
    const { positions } = this.book.recordOf(row);
    const position = positions.findIndex(({ market, quantity }) => `${market}:${quantity > 0}` === key);
    return position < 0 ? { ...this.#unit(row, -1), status: STATUS.healthy } : this.#unit(row, position);
  }
}

const SHARED = 'shared';

/** What shares margin: all that an account has not set apart, or one of its positions. */
interface Unit {
  readonly row: number;
  /** −1 for the shared margin; otherwise the number of the position within the account. */
  readonly position: number;
  readonly status: number;
  readonly margin: UnitMargin;
}

function isKnown(terms: MarketTerms, { markets }: AccountBook): boolean {
  const row = markets.find(terms.symbol);
  return row >= 0 && JSON.stringify(markets.terms[row]) === JSON.stringify(terms);
}
