import type { AccountVersions } from '../../accounts/book/account-versions.ts';
import type { MarketTerms } from '../../accounts/book/market-rows.ts';
import type { UserFilter } from '../../accounts/book/user-filter.ts';
import type { Intervention } from '../../accounts/interventions/intervention.ts';
import { contractOf } from '../../limits/account-policy.ts';
import { maintenanceOf } from '../../limits/brackets.ts';
import type { AccountImpact, MarketTables } from '../../limits/impact.ts';
import type { SystemStressInput } from '../../limits/market-input.ts';
import type { Policy } from '../../limits/policy.ts';
import type { LimitBook } from '../../limits/types.ts';
import type { CycleFacts } from '../decision-cycle.ts';
import type { MarkPrice } from '../guard/prices.ts';
import type { AccountAccess } from '../reads.ts';
import type { AccountReading } from './account-desk.ts';
import { KeptReadings } from './kept-readings.ts';
import type { StressRequest } from './system-desk.ts';
import type { AccountRequests, RequestKind } from './worker-messages.ts';

/** Whoever answers for the accounts: a thread, or in tests the desk itself. */
export interface AccountAnswerer {
  ask<Kind extends RequestKind>(
    kind: Kind,
    request: Omit<AccountRequests[Kind]['ask'], 'at'>,
  ): Promise<AccountRequests[Kind]['answer']>;
  setTerms(terms: readonly MarketTerms[], version: number): Promise<void>;
}

/** What the rest of the service knows of accounts. */
export class Accounts implements AccountAccess {
  readonly #answerer: AccountAnswerer;
  readonly #holders: Pick<UserFilter, 'mayHave'>;
  readonly #kept: KeptReadings | null;
  readonly #onFailure: (error: Error) => void;
  readonly #listeners = new Set<(interventions: readonly Intervention[]) => void>();

  /**
   * @param onFailure is told when what nobody asked for goes wrong.
   * @param holders who may have an account, as far as the answerer knows.
   * @param versions what the answerer counts of its accounts; null where it has not all of them, or counts nothing.
   */
  constructor(
    answerer: AccountAnswerer,
    onFailure: (error: Error) => void,
    holders: Pick<UserFilter, 'mayHave'>,
    versions: AccountVersions | null = null,
  ) {
    this.#kept = versions === null ? null : new KeptReadings(versions);
    this.#answerer = answerer;
    this.#holders = holders;
    this.#onFailure = onFailure;
  }

  takeLines(text: string) {
    return this.#answerer.ask('lines', { text });
  }

  take(value: unknown) {
    return this.#answerer.ask('put', { value });
  }

  async mark(prices: readonly MarkPrice[]): Promise<void> {
    if (prices.length > 0) await this.#changing(this.#answerer.ask('mark', { prices }));
  }

  /** The newest believed marks, as they were stored; those of before a start are among them. */
  marks(): Promise<readonly MarkPrice[]> {
    return this.#answerer.ask('marks', {});
  }

  reading(accountId: string) {
    return this.#answerer.ask('reading', { accountId });
  }

  async readingsOfUser(userId: string): Promise<readonly AccountReading[]> {
    const found = this.#kept === null ? null : await this.#answerer.ask('versionedReadings', { userId });
    if (found === null) return this.#answerer.ask('readingsOfUser', { userId });
    this.#kept?.keep(userId, found);
    return found.readings;
  }

  keptReadings(userId: string): readonly AccountReading[] | null {
    return this.#kept?.find(userId) ?? null;
  }

  mayHold(userId: string): boolean {
    return this.#holders.mayHave(userId);
  }

  interventionsAfter(...[after, limit, filter]: Parameters<AccountAccess['interventionsAfter']>) {
    return this.#answerer.ask('interventions', { after, limit, filter });
  }

  summary() {
    return this.#answerer.ask('summary', {});
  }

  system() {
    return this.#answerer.ask('system', {});
  }

  stress(request: StressRequest) {
    return this.#answerer.ask('stress', request);
  }

  /** What becomes of the holders of a market when its tables take each other's place; null where no account is known. */
  impact(symbol: string, before: MarketTables, after: MarketTables): Promise<AccountImpact | null> {
    return this.#answerer.ask('impact', { symbol, before, after });
  }

  stressInput(): Promise<SystemStressInput | null> {
    return this.#answerer.ask('stressInput', {});
  }

  onTold(listener: (interventions: readonly Intervention[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Interventions are stored. */
  tell(interventions: readonly Intervention[]): void {
    for (const listener of this.#listeners) listener(interventions);
  }

  /**
   * A book is in force: open positions are held to its tables, and marked at the closes of its bars where no later price
   * is known.
   */
  published(
    book: LimitBook,
    policy: Policy,
    { closes = {}, liquidity }: Pick<CycleFacts, 'closes' | 'liquidity'> = {},
  ): void {
    const prices = Object.entries(closes).map(([symbol, { asOf, price }]) => ({ symbol, price, at: asOf }));
    const known = liquidity === undefined ? null : this.#answerer.ask('liquidity', { liquidity });
    const terms = this.#changing(this.#answerer.setTerms(termsOf(book, policy), book.version));
    Promise.all([terms, this.mark(prices), known]).catch(this.#onFailure);
  }

  /** What the service sends of its own accord, or believes before the accounts do: nothing older may be seen behind it. */
  #changing<T>(answer: Promise<T>): Promise<T> {
    return this.#kept === null ? answer : this.#kept.until(answer);
  }
}

function termsOf({ markets }: LimitBook, { contracts }: Policy): readonly MarketTerms[] {
  return markets.map((market) => ({
    symbol: market.symbol,
    ...contractOf(market.symbol, contracts),
    brackets: market.brackets,
    maintenance: maintenanceOf(market),
  }));
}
