import { setImmediate } from 'node:timers/promises';
import { pictureOf } from '../../accounts/book/picture.ts';
import type { Clock } from '../../clock.ts';
import { asPlimsollError, PlimsollError } from '../../errors.ts';
import type { AccountDesk } from './account-desk.ts';
import { impactOnHolders } from './holder-impact.ts';
import type { KnownLiquidity } from './known-liquidity.ts';
import type { SystemPicture, SystemQuestion } from './system-desk.ts';
import type { AccountMessage, AccountRequest } from './worker-messages.ts';

export interface AccountLoopOptions {
  readonly desk: AccountDesk;
  /** Answers for all accounts together, beside whatever else is done here. */
  readonly askSystem: (question: SystemQuestion, picture: SystemPicture) => Promise<unknown>;
  readonly liquidity: KnownLiquidity;
  readonly clock: Clock;
  readonly send: (message: AccountMessage) => void;
  /** A snapshot that could not be written; the batches stay, and it is tried again. */
  readonly onSnapshotFailure: (error: Error) => void;
}

/** Everybody together is not looked at more often: with millions of accounts it takes seconds. */
const KEPT_MILLISECONDS = 10_000;
/** Each holds a copy of all positions until it is answered. */
const MOST_ASKING = 4;

/** How often cool-downs are looked at. */
const TICK_MILLISECONDS = 1000;

/**
 * Answers requests in their order. All that have come in while the last ones were stored are stored together: one flush of
 * the disk for many. An answer goes out once everything that it rests on is durable.
 */
export class AccountLoop {
  readonly #options: AccountLoopOptions;
  #waiting: AccountRequest[] = [];
  #running: Promise<void> | null = null;
  #failure: Error | null = null;
  #isEnding = false;
  #asking = 0;
  #picture: { readonly at: number; readonly answer: Promise<unknown> } | null = null;
  readonly #tick: NodeJS.Timeout;

  constructor(options: AccountLoopOptions) {
    this.#options = options;
    this.#tick = setInterval(() => this.#elapse(), TICK_MILLISECONDS);
  }

  ask(request: AccountRequest): void {
    if (this.#isEnding) {
      const failure = failureOf(
        new PlimsollError('OVERLOADED', 'the service ends', { remedy: 'Come again.' }),
      );
      this.#options.send({ id: request.id, failure });
      return;
    }
    this.#waiting.push(request);
    this.#running ??= this.#run();
  }

  /** Everything that was asked for is answered, and a snapshot is written. */
  async end(): Promise<void> {
    this.#isEnding = true;
    clearInterval(this.#tick);
    while (this.#running !== null) await this.#running;
    if (this.#failure === null) await this.#options.desk.snapshotNow();
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        await setImmediate();
        const asked = this.#waiting;
        this.#waiting = [];
        await this.#answerAll(asked);
      }
    } finally {
      this.#running = null;
    }
  }

  async #answerAll(asked: readonly AccountRequest[]): Promise<void> {
    const { send } = this.#options;
    const answers = asked.flatMap((request) => this.#answer(request) ?? []);
    const failure = await this.#commit();
    for (const answer of answers) send(failure === null ? answer : { id: idOf(answer), failure });
  }

  /** @returns null where the answer comes later. */
  #answer(request: AccountRequest): AccountMessage | null {
    const { id } = request;
    try {
      if (this.#failure !== null) throw this.#failure;
      const question = this.#systemQuestion(request);
      if (question !== null) {
        void this.#answerLater(id, question);
        return null;
      }
      return { id, answer: this.#work(request) };
    } catch (thrown) {
      return { id, failure: failureOf(thrown) };
    }
  }

  /** What is asked of all accounts together; null for anything else. */
  #systemQuestion(request: AccountRequest): SystemQuestion | null {
    const now = this.#options.clock.now();
    if (request.kind === 'stress') return { kind: 'stress', move: request.move, moves: request.moves };
    return request.kind === 'system' || request.kind === 'stressInput' ? { kind: request.kind, now } : null;
  }

  /** From a picture of this moment, so that accounts and prices are taken in while it is looked at. */
  async #answerLater(id: number, question: SystemQuestion): Promise<void> {
    const { send } = this.#options;
    try {
      send({ id, answer: await this.#systemAnswer(question) });
    } catch (thrown) {
      send({ id, failure: failureOf(thrown) });
    }
  }

  #systemAnswer(question: SystemQuestion): Promise<unknown> {
    const { clock, desk, liquidity, askSystem } = this.#options;
    const now = clock.now();
    const kept = this.#picture;
    if (question.kind === 'system' && kept !== null && now >= kept.at && now - kept.at < KEPT_MILLISECONDS)
      return kept.answer;
    if (this.#asking >= MOST_ASKING)
      throw new PlimsollError('OVERLOADED', 'others ask for all accounts together', {
        remedy: 'Come again in a few seconds.',
      });
    this.#asking++;
    const answer = askSystem(question, { ...pictureOf(desk.book), liquidity: liquidity.all() }).finally(
      () => {
        this.#asking--;
      },
    );
    if (question.kind === 'system') this.#picture = { at: now, answer };
    return answer;
  }

  #work(request: AccountRequest): unknown {
    const { desk, liquidity } = this.#options;
    switch (request.kind) {
      case 'lines':
        return desk.takeLines(request.text, request.at);
      case 'put':
        return desk.take(request.value, request.at);
      case 'mark':
        desk.mark(request.prices, request.at);
        return null;
      case 'terms':
        desk.setTerms(request.terms, request.version, request.at);
        return null;
      case 'reading':
        return desk.reading(request.accountId);
      case 'readingsOfUser':
        return desk.readingsOfUser(request.userId);
      case 'interventions':
        return desk.interventionsAfter(request.after, request.limit, request.filter);
      case 'summary':
        return desk.summary();
      case 'liquidity':
        liquidity.set(request.liquidity);
        return null;
      case 'impact':
        return impactOnHolders(desk.book, request);
      case 'system':
      case 'stress':
      case 'stressInput':
      case 'end':
        return null;
    }
  }

  /** Null where all is durable. A desk that is ahead of its store is not believed any more. */
  async #commit() {
    const { desk, send, onSnapshotFailure } = this.#options;
    if (this.#failure !== null) return failureOf(this.#failure);
    try {
      const told = await desk.commit();
      if (told.length > 0) send({ told });
      desk.snapshotIfDue()?.catch(onSnapshotFailure);
      return null;
    } catch (thrown) {
      this.#failure = asPlimsollError(thrown);
      return failureOf(thrown);
    }
  }

  #elapse(): void {
    const { desk, clock } = this.#options;
    if (this.#failure !== null || this.#running !== null || desk.engine.nextDueAt > clock.now()) return;
    desk.elapse(clock.now());
    this.#running = this.#commit().then(() => {
      this.#running = null;
      if (this.#waiting.length > 0) this.#running = this.#run();
    });
  }
}

function idOf(message: AccountMessage): number {
  return 'id' in message ? message.id : 0;
}

function failureOf(thrown: unknown) {
  const { code, message, remedy } = asPlimsollError(thrown);
  return { code, message, remedy };
}
