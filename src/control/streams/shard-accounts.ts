import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import { asPlimsollError, type PlimsollError } from '../../errors.ts';
import type { BatchReport, RefusedLine, ShardPlace } from '../accounts/account-desk.ts';
import type { AccountLoop } from '../accounts/account-loop.ts';
import type { AccountStore } from '../accounts/ports.ts';
import type {
  AccountMessage,
  AccountRequest,
  AccountRequests,
  RequestKind,
  ShardState,
  StreamEvent,
} from '../accounts/worker-messages.ts';
import type { Broker, Following, LogEntry } from './event-log.ts';
import { shardNotHeld, streamLost } from './failures.ts';
import type { LeaseTime } from './lease-time.ts';
import { answerQuestions } from './partition-answerer.ts';
import { errorOf, failureOf } from './question-codec.ts';
import { ShardIntake } from './shard-intake.ts';
import { ShardStore } from './shard-store.ts';

const RETRY_MILLISECONDS = 500;

export interface ShardAccountsOptions {
  readonly broker: Broker;
  /** Named in the journal. */
  readonly worker: string;
  /** Of this run of the process alone. */
  readonly session: string;
  /** Until when the partition is certainly this process's own; nobody else is answered after it. */
  readonly leaseTime: LeaseTime;
  readonly clock: Clock;
  /** What this process keeps of a partition; opened once. */
  readonly openLocal: (partition: number) => AccountStore;
  readonly makeLoop: (
    store: AccountStore,
    shard: ShardPlace,
    send: (message: AccountMessage) => void,
  ) => AccountLoop;
  readonly send: (message: AccountMessage) => void;
  /** Lines of other senders that have no effect: nobody waits for their answer. */
  readonly onRefused: (event: number, lines: readonly RefusedLine[]) => void;
}

/** One claim of a partition, from the journal's end on. */
interface Tenure {
  readonly partition: number;
  readonly loop: AccountLoop;
  readonly intake: ShardIntake;
  readonly followings: Following[];
  /** Resolves with the reason when nothing can be written any more. */
  readonly broken: Promise<PlimsollError>;
}

/** What is known of limits and markets when a partition comes. */
const REMEMBERED = ['terms', 'liquidity'] as const;
/** Asked by the rest of the service on its own account; nothing is known where no partition is kept. */
const SILENT: Partial<Readonly<Record<RequestKind, unknown>>> = {
  ...{ interventions: [], terms: null, liquidity: null },
};

/**
 * The accounts of one partition, as a process that owns it keeps them: events of its stream and of the marks come in by their
 * sequence, what they cause goes into the journal together with how far that was, and answers go out after it. While the
 * streams are away what is known is answered and nothing is taken; a partition that another process has taken over is not even
 * answered for.
 */
export class ShardAccounts {
  readonly #options: ShardAccountsOptions;
  readonly #locals = new Map<number, AccountStore>();
  readonly #remembered = new Map<RequestKind, AccountRequest>();
  readonly #internal = new Map<
    number,
    { resolve(answer: never): void; reject(error: PlimsollError): void }
  >();
  #nextInternal = -1;
  #claims = 0;
  #tenure: Tenure | null = null;
  #reason = shardNotHeld('no partition is free');
  #wanted: number | null = null;
  #running: Promise<void> | null = null;
  /** Why the partition may not be answered for any more. */
  #over: PlimsollError | null = null;
  #interrupt: ((reason: PlimsollError) => void) | null = null;

  constructor(options: ShardAccountsOptions) {
    this.#options = options;
  }

  ask(request: AccountRequest): void {
    const { send } = this.#options;
    const { id, kind } = request;
    if (kind === 'hold') this.#hold(request.partition);
    else if (kind === 'lose') this.#lose(shardNotHeld('its lease is over'));
    if (kind === 'hold' || kind === 'lose') {
      send({ id, answer: null });
      return;
    }
    if (REMEMBERED.some((one) => one === kind)) this.#remembered.set(kind, request);
    const tenure = this.#tenure;
    if (tenure === null) {
      if (kind in SILENT) send({ id, answer: SILENT[kind] });
      else send({ id, failure: failureOf(this.#reason) });
    } else if (kind === 'lines') void this.#take(id, tenure, request.text, (report) => report);
    else if (kind === 'put') void this.#take(id, tenure, JSON.stringify(request.value), faultOf);
    else tenure.loop.ask(request);
  }

  /** What was asked for is answered, a snapshot is written, and the partition is let go of. */
  async end(): Promise<void> {
    const tenure = this.#tenure;
    this.#wanted = null;
    if (tenure !== null && this.#reason === KEPT) {
      await Promise.all(tenure.followings.map((following) => following.stop()));
      await tenure.loop.end().catch(() => undefined);
    }
    this.#interrupt?.(shardNotHeld('the process ends'));
    await this.#running;
    for (const local of this.#locals.values()) local.close();
  }

  #hold(partition: number): void {
    this.#wanted = partition;
    this.#over = null;
    this.#running ??= this.#run(partition).finally(() => {
      this.#running = null;
      const wanted = this.#wanted;
      if (wanted !== null) this.#hold(wanted);
    });
  }

  #lose(reason: PlimsollError): void {
    this.#wanted = null;
    this.#over = reason;
    this.#interrupt?.(reason);
  }

  /** Claims the partition, and claims it again after what passes by, until it is another's. */
  async #run(partition: number): Promise<void> {
    while (this.#wanted === partition) {
      let failure: PlimsollError;
      try {
        const tenure = await this.#claim(partition);
        this.#become(partition, 'kept', null);
        failure = await tenure.broken;
        await this.#stop(tenure, failure);
      } catch (thrown) {
        failure = asPlimsollError(thrown);
      }
      if (failure.code === 'SHARD_LOST') this.#lose(failure);
      if (this.#over !== null || this.#wanted === null) break;
      if (failure.code === 'STREAM_LOST') {
        this.#wanted = null;
        this.#become(partition, 'lost', failure);
      } else {
        this.#become(partition, 'away', failure);
        await setTimeout(RETRY_MILLISECONDS);
      }
    }
    const over = this.#over;
    if (over === null) return;
    // What is known may not be true any more.
    const tenure = this.#tenure;
    this.#tenure = null;
    this.#become(partition, 'taken', over);
    await tenure?.loop.discard(over);
  }

  async #claim(partition: number): Promise<Tenure> {
    const { broker, worker, session, makeLoop } = this.#options;
    const { log, partitions } = broker;
    const broken = Promise.withResolvers<PlimsollError>();
    this.#interrupt = broken.resolve;
    const local = this.#locals.get(partition) ?? this.#options.openLocal(partition);
    this.#locals.set(partition, local);
    let tenure: Tenure | null = null;
    const breaks = (error: PlimsollError): void => {
      tenure?.loop.freeze(error);
      broken.resolve(error);
    };
    const store = await ShardStore.claim({ log, partition, worker, local, onBroken: breaks });
    const { accounts = 0, marks = 0 } = store.positions();
    await this.#requireGoingOn(`accounts.${partition}`, accounts, true);
    await this.#requireGoingOn('marks', marks, false);
    const before = this.#tenure;
    const loop = makeLoop(store, { partition, partitions }, (message) => this.#receive(message));
    // An id that came before would be taken for the same event, and have no effect.
    const intake = new ShardIntake(log, partition, `${session}-${++this.#claims}`);
    const followings: Following[] = [];
    const own: Tenure = { partition, loop, intake, followings, broken: broken.promise };
    tenure = own;
    await before?.loop.discard(this.#reason);
    this.#tenure = own;
    for (const request of this.#remembered.values())
      void this.#call(loop, request.kind, request).catch(() => undefined);
    followings.push(
      log.follow(`accounts.${partition}`, accounts, (entries) => this.#takeAccounts(own, entries), breaks),
      log.follow('marks', marks, async (entries) => void (await this.#events(own, 'marks', entries)), breaks),
    );
    try {
      // Last: whoever is asked and says nothing is waited for.
      followings.push(await broker.questions.answer(partition, (body) => this.#answerOthers(own, body)));
    } catch (thrown) {
      await this.#stop(own, asPlimsollError(thrown));
      throw thrown;
    }
    return own;
  }

  #answerOthers({ loop, intake }: Tenure, body: Uint8Array): Promise<Uint8Array | null> {
    const { leaseTime, clock } = this.#options;
    return answerQuestions(body, {
      keeps: () => this.#tenure?.loop === loop && this.#reason === KEPT && leaseTime.isHeld,
      answer: async (question) => {
        if (question.kind === 'lines') return intake.take(question.text);
        if (question.kind === 'put') return faultOf(await intake.take(JSON.stringify(question.value)));
        return this.#call(loop, question.kind, { ...question, at: clock.now() } as never);
      },
    });
  }

  /** @param isWhole what was forgotten before it was taken in is a loss. */
  async #requireGoingOn(
    topic: 'marks' | `accounts.${number}`,
    taken: number,
    isWhole: boolean,
  ): Promise<void> {
    const { first, last } = await this.#options.broker.log.extent(topic);
    if (last < taken) throw streamLost(`${topic} ends at ${last}, and was taken in up to ${taken}`);
    if (isWhole && first > taken + 1)
      throw streamLost(`${topic} begins at ${first}, and was taken in up to ${taken}`);
  }

  async #stop({ intake, loop, followings }: Tenure, failure: PlimsollError): Promise<void> {
    loop.freeze(failure);
    intake.fail(failure);
    await Promise.all(followings.map((following) => following.stop()));
  }

  async #takeAccounts(tenure: Tenure, entries: readonly LogEntry[]): Promise<void> {
    const reports = await this.#events(tenure, 'accounts', entries);
    for (const [i, entry] of entries.entries())
      if (!tenure.intake.taken(entry, reports[i]) && reports[i].refused.length > 0)
        this.#options.onRefused(entry.sequence, reports[i].refused);
  }

  #events(
    { loop }: Tenure,
    stream: 'accounts' | 'marks',
    entries: readonly LogEntry[],
  ): Promise<readonly BatchReport[]> {
    const events: StreamEvent[] = entries.map(({ sequence, body }) => ({
      sequence,
      text: new TextDecoder().decode(body),
    }));
    return this.#call(loop, 'events', { stream, events, at: this.#options.clock.now() });
  }

  async #take(
    id: number,
    { intake }: Tenure,
    text: string,
    answerOf: (report: BatchReport) => unknown,
  ): Promise<void> {
    const { send } = this.#options;
    try {
      if (this.#reason !== KEPT) throw this.#reason;
      send({ id, answer: answerOf(await intake.take(text)) });
    } catch (thrown) {
      send({ id, failure: failureOf(thrown) });
    }
  }

  #call<Kind extends RequestKind>(
    loop: AccountLoop,
    kind: Kind,
    request: AccountRequests[Kind]['ask'],
  ): Promise<AccountRequests[Kind]['answer']> {
    const id = this.#nextInternal--;
    return new Promise((resolve, reject) => {
      this.#internal.set(id, { resolve, reject });
      loop.ask({ ...request, id, kind } as unknown as AccountRequest);
    });
  }

  #receive(message: AccountMessage): void {
    if (!('id' in message) || message.id >= 0) {
      this.#options.send(message);
      return;
    }
    const asked = this.#internal.get(message.id);
    this.#internal.delete(message.id);
    if ('answer' in message) asked?.resolve(message.answer as never);
    else asked?.reject(errorOf(message.failure));
  }

  #become(partition: number, state: ShardState['state'], failure: PlimsollError | null): void {
    this.#reason = failure ?? KEPT;
    const told = failure === null ? null : failureOf(failure);
    this.#options.send({ shard: { partition, state, failure: told } });
  }
}

/** In the place of a reason why not. */
const KEPT = shardNotHeld('it does');

function faultOf({ refused: [first] }: BatchReport): unknown {
  return first === undefined ? null : { code: first.code, message: first.message };
}
