import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import { asPlimsollError, PlimsollError } from '../../errors.ts';
import type { AccountDesk } from './account-desk.ts';
import { impactOnHolders } from './holder-impact.ts';
import type { KnownLiquidity } from './known-liquidity.ts';
import type { SystemDesk } from './system-desk.ts';
import type { AccountMessage, AccountRequest } from './worker-messages.ts';

export interface AccountLoopOptions {
  readonly desk: AccountDesk;
  readonly system: SystemDesk;
  readonly liquidity: KnownLiquidity;
  readonly clock: Clock;
  readonly send: (message: AccountMessage) => void;
  /** A snapshot that could not be written; the batches stay, and it is tried again. */
  readonly onSnapshotFailure: (error: Error) => void;
}

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
    const answers = asked.map((request) => this.#answer(request));
    const failure = await this.#commit();
    for (const answer of answers) send(failure === null ? answer : { id: idOf(answer), failure });
  }

  #answer(request: AccountRequest): AccountMessage {
    const { id } = request;
    try {
      if (this.#failure !== null) throw this.#failure;
      return { id, answer: this.#work(request) };
    } catch (thrown) {
      return { id, failure: failureOf(thrown) };
    }
  }

  #work(request: AccountRequest): unknown {
    const { desk, system, clock, liquidity } = this.#options;
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
      case 'system':
        return system.system(clock.now());
      case 'stress':
        return system.stress(request);
      case 'impact':
        return impactOnHolders(desk.book, request);
      case 'stressInput':
        return system.stressInput(clock.now());
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
