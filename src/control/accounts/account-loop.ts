import { setImmediate } from 'node:timers/promises';
import { pictureOf } from '../../accounts/book/picture.ts';
import type { Clock } from '../../clock.ts';
import { asPlimsollError, PlimsollError } from '../../errors.ts';
import type { MarkPrice } from '../guard/prices.ts';
import type { AccountDesk, BatchReport } from './account-desk.ts';
import { impactOnHolders } from './holder-impact.ts';
import type { KnownLiquidity } from './known-liquidity.ts';
import { SystemAsking } from './system-asking.ts';
import type { SystemPicture, SystemQuestion } from './system-desk.ts';
import type { AccountMessage, AccountRequest } from './worker-messages.ts';

export interface AccountLoopOptions {
  /** The accounts as they are stored. Asked for at the start, and again when a commit has failed. */
  readonly recover: () => AccountDesk;
  /** Answers for all accounts together, beside whatever else is done here. */
  readonly askSystem: (question: SystemQuestion, picture: SystemPicture) => Promise<unknown>;
  readonly liquidity: KnownLiquidity;
  readonly clock: Clock;
  readonly send: (message: AccountMessage) => void;
  /** A snapshot that could not be written; the batches stay, and it is tried again. */
  readonly onSnapshotFailure: (error: Error) => void;
}

/** So long after a commit that failed nothing is written: to recover a million accounts takes a while. */
const PAUSE_MILLISECONDS = 1000;

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
  #desk: AccountDesk;
  /** The newest failure to store, and until when nothing is tried after it. */
  #failed: { readonly error: PlimsollError; readonly until: number } | null = null;
  /** Tables that could not be stored: nobody sends them again. */
  #termsToSet: (AccountRequest & { readonly kind: 'terms' }) | null = null;
  #frozen: PlimsollError | null = null;
  #isEnding = false;
  readonly #system: SystemAsking;
  readonly #tick: NodeJS.Timeout;

  constructor(options: AccountLoopOptions) {
    this.#options = options;
    this.#desk = options.recover();
    const { clock, liquidity, askSystem } = options;
    this.#system = new SystemAsking(clock, (question) =>
      askSystem(question, { ...pictureOf(this.#desk.book), liquidity: liquidity.all() }),
    );
    this.#tick = setInterval(() => this.#elapse(), TICK_MILLISECONDS);
  }

  get desk(): AccountDesk {
    return this.#desk;
  }

  /** Nothing can be stored any more: what only looks is answered from what is stored. */
  freeze(reason: PlimsollError): void {
    this.#frozen ??= reason;
    clearInterval(this.#tick);
  }

  /** What was asked for is answered; nothing is stored. */
  async discard(reason: PlimsollError): Promise<void> {
    this.freeze(reason);
    this.#isEnding = true;
    while (this.#running !== null) await this.#running;
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

  /** Looks at all accounts under the policy of this start. */
  lookAtAll(): void {
    this.#desk.lookAtAll(this.#options.clock.now());
    this.#store();
  }

  /** Everything that was asked for is answered, and a snapshot is written. */
  async end(): Promise<void> {
    this.#isEnding = true;
    clearInterval(this.#tick);
    while (this.#running !== null) await this.#running;
    await this.#desk.snapshotNow();
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
    const refused = this.#pauseFailure();
    if (refused !== null) {
      for (const request of asked) this.#answerUnstored(request, refused);
      return;
    }
    const known = this.#termsToSet;
    if (known !== null) this.#desk.setTerms(known.terms, known.version, known.at);
    const later: AccountRequest[] = [];
    const answers: AccountMessage[] = [];
    for (const request of asked) {
      if (this.#isOfAll(request)) later.push(request);
      else answers.push(this.#answer(request));
    }
    const failure = await this.#commit();
    if (failure === null) {
      this.#termsToSet = null;
      for (const answer of answers) send(answer);
      for (const request of later) this.#answerUnstored(request, null);
    } else for (const request of asked) this.#answerUnstored(request, failure);
  }

  /** Null where it may be tried to store something. */
  #pauseFailure(): PlimsollError | null {
    if (this.#frozen !== null) return this.#frozen;
    const failed = this.#failed;
    const now = this.#options.clock.now();
    return failed !== null && now < failed.until && now >= failed.until - PAUSE_MILLISECONDS
      ? failed.error
      : null;
  }

  /** What only looks is answered from what is stored; what changes something fails. */
  #answerUnstored(request: AccountRequest, failure: PlimsollError | null): void {
    const { send } = this.#options;
    if (this.#isOfAll(request)) void this.#answerLater(request);
    else if (failure === null || !CHANGING.has(request.kind)) send(this.#answer(request));
    else {
      if (request.kind === 'terms') this.#termsToSet = request;
      send({ id: request.id, failure: failureOf(failure) });
    }
  }

  #isOfAll({ kind }: AccountRequest): boolean {
    return kind === 'system' || kind === 'stress' || kind === 'stressInput';
  }

  #answer(request: AccountRequest): AccountMessage {
    const { id } = request;
    try {
      return { id, answer: this.#work(request) };
    } catch (thrown) {
      return { id, failure: failureOf(thrown) };
    }
  }

  /** From a picture of this moment, so that accounts and prices are taken in while it is looked at. */
  async #answerLater(request: AccountRequest): Promise<void> {
    const { send, clock } = this.#options;
    const { id } = request;
    const now = clock.now();
    try {
      const question: SystemQuestion =
        request.kind === 'stress'
          ? { kind: 'stress', move: request.move, moves: request.moves }
          : { kind: request.kind as 'system' | 'stressInput', now };
      send({ id, answer: await this.#system.answer(question) });
    } catch (thrown) {
      send({ id, failure: failureOf(thrown) });
    }
  }

  #work(request: AccountRequest): unknown {
    const { liquidity } = this.#options;
    const desk = this.#desk;
    switch (request.kind) {
      case 'lines':
        return desk.takeLines(request.text, request.at);
      case 'put':
        return desk.take(request.value, request.at);
      case 'mark':
        desk.mark(request.prices, request.at);
        return null;
      case 'marks':
        return desk.marks();
      case 'events':
        return this.#takeEvents(request);
      case 'terms':
        desk.setTerms(request.terms, request.version, request.at);
        return null;
      case 'reading':
        if (!desk.belongs(request.accountId)) throw keptElsewhere(request.accountId);
        return desk.reading(request.accountId);
      case 'readingsOfUser':
        return desk.readingsOfUser(request.userId);
      case 'versionedReadings':
        return desk.versionedReadings(request.userId);
      case 'interventions':
        return desk.interventionsAfter(request.after, request.limit, request.filter);
      case 'summary':
        return desk.summary();
      case 'liquidity':
        liquidity.set(request.liquidity);
        return null;
      case 'impact':
        return impactOnHolders(desk.book, request);
      case 'picture':
        return pictureOf(desk.book);
      case 'system':
      case 'stress':
      case 'stressInput':
      case 'hold':
      case 'lose':
      case 'end':
        return null;
    }
  }

  /** Events that have had their effect have none again: that is how far the stream was taken in. */
  #takeEvents({ stream, events, at }: AccountRequest & { readonly kind: 'events' }): readonly BatchReport[] {
    const desk = this.#desk;
    const reports = events.map(({ text }) => {
      if (stream === 'accounts') return desk.takeLines(text, at);
      desk.mark(marksOf(text), at);
      return NOTHING_REFUSED;
    });
    const last = events.at(-1);
    if (last !== undefined) desk.reached({ [stream]: last.sequence });
    return reports;
  }

  /** Null where all is durable. A desk that is ahead of its store is not believed any more: it is recovered. */
  async #commit(): Promise<PlimsollError | null> {
    const { send, onSnapshotFailure, recover, clock } = this.#options;
    try {
      const told = await this.#desk.commit();
      this.#failed = null;
      if (told.length > 0) send({ told });
      this.#desk.snapshotIfDue()?.catch(onSnapshotFailure);
      return null;
    } catch (thrown) {
      const error = asPlimsollError(thrown);
      this.#desk = recover();
      this.#failed = { error, until: clock.now() + PAUSE_MILLISECONDS };
      return error;
    }
  }

  #elapse(): void {
    const { clock } = this.#options;
    const desk = this.#desk;
    if (this.#running !== null || this.#pauseFailure() !== null) return;
    if (this.#termsToSet === null && desk.engine.nextDueAt > clock.now()) return;
    const known = this.#termsToSet;
    if (known !== null) desk.setTerms(known.terms, known.version, known.at);
    desk.elapse(clock.now());
    this.#store();
  }

  /** Stores what has come about without being asked for. */
  #store(): void {
    const known = this.#termsToSet;
    this.#running = this.#commit().then((failure) => {
      if (failure === null && this.#termsToSet === known) this.#termsToSet = null;
      this.#running = null;
      if (this.#waiting.length > 0) this.#running = this.#run();
    });
  }
}

/** What changes something that is stored. */
const CHANGING: ReadonlySet<AccountRequest['kind']> = new Set(['lines', 'put', 'mark', 'events', 'terms']);

const NOTHING_REFUSED: BatchReport = { total: 0, accepted: 0, refused: [] };

/** Lines that were believed by whoever judges prices. */
function marksOf(text: string): MarkPrice[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as MarkPrice);
}

function keptElsewhere(accountId: string): PlimsollError {
  return new PlimsollError('ACCOUNTS_ELSEWHERE', `another process keeps account ${accountId}`, {
    remedy: 'Ask the process that keeps its partition; see docs/scaling.md.',
  });
}

function failureOf(thrown: unknown) {
  const { code, message, remedy } = asPlimsollError(thrown);
  return { code, message, remedy };
}
