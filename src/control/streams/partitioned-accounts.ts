import type { AccountFault } from '../../accounts/book/account-line.ts';
import type { MarketTerms } from '../../accounts/book/market-rows.ts';
import type { BookPicture } from '../../accounts/book/picture.ts';
import type { Clock } from '../../clock.ts';
import { type AccountImpact, mergedImpact } from '../../limits/impact.ts';
import type { AccountAnswerer } from '../accounts/account-access.ts';
import type { BatchReport } from '../accounts/account-desk.ts';
import { KnownLiquidity } from '../accounts/known-liquidity.ts';
import { SystemAsking } from '../accounts/system-asking.ts';
import type { SystemPicture, SystemQuestion } from '../accounts/system-desk.ts';
import type { AccountRequests, RequestKind } from '../accounts/worker-messages.ts';
import { dividedLines, mergedReport } from './divided-lines.ts';
import { partitionOf } from './partition.ts';
import type { PartitionAsker } from './partition-asker.ts';
import type { AskedKind } from './question-codec.ts';

export interface PartitionedAccountsOptions {
  readonly partitions: number;
  readonly asker: PartitionAsker;
  /** What this process keeps itself, and what nobody but itself is asked for. */
  readonly own: AccountAnswerer;
  /** The partition that `own` answers for; null while it has none. */
  readonly ownPartition: () => number | null;
  /** Whether nobody else can have taken it over by now without being seen. */
  readonly isCertain: () => boolean;
  readonly clock: Clock;
  readonly askSystem: (
    question: SystemQuestion,
    pictures: readonly BookPicture[],
    liquidity: SystemPicture['liquidity'],
  ) => Promise<unknown>;
}

type Ask<Kind extends RequestKind> = Omit<AccountRequests[Kind]['ask'], 'at'>;
type Answer<Kind extends RequestKind> = AccountRequests[Kind]['answer'];

/**
 * All accounts, whichever processes keep them: what is asked about one goes to the partition that has it, what is asked about a user or
 * about everybody to all of them. Where one does not answer there is no answer: a part of what a user holds would make a cap too wide.
 */
export class PartitionedAccounts implements AccountAnswerer {
  readonly #options: PartitionedAccountsOptions;
  readonly #liquidity = new KnownLiquidity();
  readonly #system: SystemAsking;

  constructor(options: PartitionedAccountsOptions) {
    this.#options = options;
    this.#system = new SystemAsking(options.clock, async (question) =>
      options.askSystem(question, await this.#ofAll('picture', {}), this.#liquidity.all()),
    );
  }

  setTerms(terms: readonly MarketTerms[], version: number): Promise<void> {
    return this.#options.own.setTerms(terms, version);
  }

  async ask<Kind extends RequestKind>(kind: Kind, request: Ask<Kind>): Promise<Answer<Kind>> {
    return (await this.#answer(kind, request)) as Answer<Kind>;
  }

  #answer(kind: RequestKind, request: object): Promise<unknown> {
    const { own, clock, partitions } = this.#options;
    switch (kind) {
      case 'reading': {
        const { accountId } = request as Ask<'reading'>;
        return this.#of(partitionOf(accountId, partitions), 'reading', { accountId });
      }
      case 'marks':
        // The same prices come to all.
        return this.#of(this.#options.ownPartition() ?? 0, 'marks', {});
      case 'readingsOfUser':
        return this.#readingsOfUser(request as Ask<'readingsOfUser'>);
      case 'lines':
        return this.#takeLines((request as Ask<'lines'>).text);
      case 'put':
        return this.#take((request as Ask<'put'>).value);
      case 'impact':
        return this.#impact(request as Ask<'impact'>);
      case 'system':
      case 'stressInput':
        return this.#ofEverybody({ kind, now: clock.now() });
      case 'stress':
        return this.#ofEverybody({ kind, ...(request as Ask<'stress'>) });
      case 'liquidity':
        this.#liquidity.set((request as Ask<'liquidity'>).liquidity);
        return own.ask(kind, request as Ask<'liquidity'>);
      default:
        return own.ask(kind, request as never);
    }
  }

  async #readingsOfUser(request: Ask<'readingsOfUser'>): Promise<Answer<'readingsOfUser'>> {
    return (await this.#ofAll('readingsOfUser', request)).flat();
  }

  async #impact(request: Ask<'impact'>): Promise<AccountImpact | null> {
    const { symbol, before, after } = request;
    return mergedImpact(await this.#ofAll('impact', { symbol, before, after }));
  }

  /** Alone, a process looks at its own accounts without copying them to itself. */
  async #ofEverybody(question: SystemQuestion): Promise<unknown> {
    const { own } = this.#options;
    if (!this.#keepsAll) return this.#system.answer(question);
    if (question.kind !== 'stress') return own.ask(question.kind, {});
    return own.ask('stress', { move: question.move, moves: question.moves });
  }

  async #takeLines(text: string): Promise<BatchReport> {
    if (this.#keepsAll) return this.#options.own.ask('lines', { text });
    const divided = dividedLines(text, this.#options.partitions, this.#options.ownPartition() ?? 0);
    const reports = divided.pieces.map(({ partition, lines }) =>
      this.#of(partition, 'lines', { text: lines.map(({ text: line }) => line).join('\n') }),
    );
    return mergedReport(divided, await Promise.all(reports));
  }

  #take(value: unknown): Promise<AccountFault | null> {
    const { partitions } = this.#options;
    const { accountId } = (value ?? {}) as { accountId?: unknown };
    return this.#of(typeof accountId === 'string' ? partitionOf(accountId, partitions) : 0, 'put', { value });
  }

  get #keepsAll(): boolean {
    const { partitions, ownPartition } = this.#options;
    return partitions === 1 && ownPartition() === 0;
  }

  #of<Kind extends AskedKind>(partition: number, kind: Kind, request: Ask<Kind>): Promise<Answer<Kind>> {
    const { own, ownPartition, isCertain, asker } = this.#options;
    // What is written meets the fence of the journal wherever it is written.
    const isWritten = kind === 'lines' || kind === 'put';
    // A copy of everybody is not passed from thread to thread where it can be read in pieces.
    const mayBeOwn = isWritten || (kind !== 'picture' && isCertain());
    if (partition === ownPartition() && mayBeOwn) return own.ask(kind, request);
    return asker.ask(partition, kind, request);
  }

  #ofAll<Kind extends AskedKind>(kind: Kind, request: Ask<Kind>): Promise<Answer<Kind>[]> {
    const all = Array.from({ length: this.#options.partitions }, (_, partition) =>
      this.#of(partition, kind, request),
    );
    return Promise.all(all);
  }
}
