import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { asPlimsollError, PlimsollError } from '../../errors.ts';
import { canonicalJson } from '../../limits/chain.ts';
import type { GovernanceState } from '../../limits/governance.ts';
import type { Policy } from '../../limits/policy.ts';
import type { LimitBook } from '../../limits/types.ts';
import { HOUR_MILLISECONDS } from '../../units.ts';
import { governanceEvent } from '../feed/feed-event.ts';
import type { StateStore } from '../ports.ts';
import { type Change, endOf, governanceOf } from './change.ts';
import {
  type AccountImpactSource,
  type AnnouncedTable,
  announcedTables,
  type Impact,
  impactsOf,
} from './impact.ts';
import { type Actor, type Command, decide, type Situation } from './rules.ts';
import type { Preview } from './trials.ts';

/** What a client may ask beside its command. */
export interface Conditions {
  readonly idempotencyKey?: string | undefined;
  /** The command counts only while one of these is the newest revision. */
  readonly revisions?: readonly number[] | undefined;
}

export interface Acted {
  /** The change that was made or altered, then those that it ended. */
  readonly changes: readonly Change[];
  readonly revision: number;
  /** The same request came before: nothing was done again. */
  readonly isRepeat: boolean;
}

/** Is told what people do. Metrics and logs listen here. */
export interface GovernanceObserver {
  acted(actor: Actor, command: Command, acted: Acted): void;
  refused(actor: Actor, command: Command, error: PlimsollError): void;
  /** Something that follows a step went wrong; the step holds. */
  failed(error: PlimsollError): void;
}

export interface DeskOptions {
  readonly store: Pick<StateStore, 'governance' | 'appendAudit'>;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly book: () => LimitBook | null;
  readonly observer?: GovernanceObserver | undefined;
  /** Null where no decisions are made: then nobody can say what a change would do. */
  readonly preview?: Preview | null | undefined;
  /** Without one no accounts are known. */
  readonly accountsOf?: AccountImpactSource | undefined;
}

/** A key that tries without end must not fill the chain; what is beyond is logged alone. */
const MOST_AUDITED_REFUSALS_AN_HOUR = 60;

/** Beyond so many steps of other processes in between, one's own is refused. */
const MOST_ATTEMPTS = 5;

/**
 * Where people change what decisions may do. A step is durable, with its entry of the audit chain, before anybody
 * sees it or is told that it was made. Steps come one after the other.
 */
export class GovernanceDesk {
  readonly #options: DeskOptions;
  readonly #listeners = new Set<() => void>();
  readonly #refusals = new Map<string, { hour: number; count: number }>();
  /** Those that were not over at the newest time that is recorded: a clock that is ahead for a while forgets nothing. */
  #open: readonly Change[] = [];
  #revision = 0;
  #newestNumber = 0;
  #newestAt = 0;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: DeskOptions) {
    this.#options = options;
  }

  static async recover(options: DeskOptions): Promise<GovernanceDesk> {
    const desk = new GovernanceDesk(options);
    await desk.#load();
    return desk;
  }

  /** What decisions read. */
  state(): GovernanceState {
    return governanceOf(this.#open, this.time());
  }

  /** Those that are not over, oldest first. */
  open(): readonly Change[] {
    const at = this.time();
    return this.#open.filter((change) => endOf(change) > at);
  }

  /** Counts the steps that were made. */
  revision(): number {
    return this.#revision;
  }

  /** Never before a time that is recorded: a clock that jumps back brings nothing into force again. */
  time(): number {
    return Math.max(this.#options.clock.now(), this.#recordedAt());
  }

  #recordedAt(): number {
    return Math.max(this.#newestAt, this.#options.book()?.decidedAt ?? 0);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Another process has made steps: what is known is read again, and told where it changed. Comes after steps that run. */
  refresh(): Promise<void> {
    const refreshed = this.#last.then(async () => {
      const known = this.#revision;
      await this.#load();
      if (this.#revision !== known) this.#tell();
    });
    this.#last = refreshed.catch(() => {});
    return refreshed;
  }

  page(before: number, limit: number): Promise<readonly Change[]> {
    return this.#options.store.governance.changes(before, limit);
  }

  /** What each change would do if it were in force now, by its id; see `impactsOf`. */
  impacts(wanted: readonly Change[]): Promise<ReadonlyMap<string, Impact>> {
    const { preview = null, accountsOf = noAccounts, book } = this.#options;
    return impactsOf(wanted, this.open(), { book: book(), at: this.time(), preview, accountsOf });
  }

  /** The tables that open positions will be held to. */
  announced(): Promise<readonly AnnouncedTable[]> {
    const { accountsOf = noAccounts, book } = this.#options;
    return announcedTables(book(), accountsOf);
  }

  /**
   * What a command would do, if the rules allow it: the change, then those that it would end. Nothing is written.
   *
   * @throws PlimsollError what `decide` throws.
   */
  async tried(
    actor: Actor,
    command: Command,
  ): Promise<{ readonly changes: readonly [Change, ...Change[]]; readonly impact: Impact | null }> {
    const { changes } = decide(await this.#situation(command), actor, command);
    return { changes, impact: (await this.impacts([changes[0]])).get(changes[0].id) ?? null };
  }

  /**
   * Does what is asked, if the rules allow it; durable when it returns.
   *
   * @throws PlimsollError what `decide` throws, PRECONDITION_FAILED, IDEMPOTENCY_KEY_REUSED. It was audited then.
   */
  act(actor: Actor, command: Command, conditions: Conditions = {}): Promise<Acted> {
    const acted = this.#last.then(() => this.#act(actor, command, conditions));
    this.#last = acted.catch(() => {});
    return acted;
  }

  async #act(actor: Actor, command: Command, conditions: Conditions): Promise<Acted> {
    let acted: Acted;
    try {
      acted = await this.#make(actor, command, conditions);
    } catch (thrown) {
      await this.#refused(actor, command, asPlimsollError(thrown));
      throw thrown;
    }
    if (!acted.isRepeat) this.#tell();
    this.#options.observer?.acted(actor, command, acted);
    return acted;
  }

  /** The step is made: a listener that fails does not undo it. */
  #tell(): void {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (thrown) {
        this.#options.observer?.failed(asPlimsollError(thrown));
      }
    }
  }

  async #make(actor: Actor, command: Command, conditions: Conditions, attempt = 1): Promise<Acted> {
    const { store } = this.#options;
    const { idempotencyKey } = conditions;
    const idempotency =
      idempotencyKey === undefined ? null : { key: idempotencyKey, requestHash: hashOf(command) };
    if (idempotency !== null) {
      const recalled = await store.governance.recalled(actor.name, idempotency.key);
      if (recalled !== null && recalled.requestHash === idempotency.requestHash)
        return { changes: recalled.changes, revision: recalled.revision, isRepeat: true };
      if (recalled !== null)
        throw new PlimsollError(
          'IDEMPOTENCY_KEY_REUSED',
          'this Idempotency-Key was used for another request',
          {
            remedy: 'Take a new key for each request, and the same one only to repeat it.',
          },
        );
    }
    if (conditions.revisions !== undefined && !conditions.revisions.includes(this.#revision))
      throw new PlimsollError(
        'PRECONDITION_FAILED',
        `revision ${this.#revision} is the newest, and not the one that was named`,
        { remedy: 'Read GET /v1/changes again, and decide again.' },
      );
    const decided = decide(await this.#situation(command), actor, command);
    try {
      const events = [governanceEvent(decided.changes, this.#revision + 1, decided.audit.at)];
      const step = { ...decided, revision: this.#revision, idempotency, events };
      const revision = await store.governance.record(step);
      this.#take(decided.changes, revision, decided.audit.at);
      return { changes: decided.changes, revision, isRepeat: false };
    } catch (thrown) {
      if (asPlimsollError(thrown).code !== 'CONFLICT') throw thrown;
      // Another process has written: what is known here is old. Whoever named no ground is judged again on the new one.
      await this.#load();
      if (attempt === MOST_ATTEMPTS) throw thrown;
    }
    return this.#make(actor, command, conditions, attempt + 1);
  }

  async #situation(command: Command): Promise<Situation> {
    const { store, clock, policy, book } = this.#options;
    const named = 'id' in command ? await store.governance.change(command.id) : null;
    const inForce = book();
    return {
      open: this.open(),
      named,
      nextNumber: this.#newestNumber + 1,
      book: inForce,
      policy,
      now: clock.now(),
      latest: this.#recordedAt(),
    };
  }

  #take(changes: readonly Change[], revision: number, at: number): void {
    const numbers = new Set(changes.map(({ number }) => number));
    const kept = this.#open.filter((change) => !numbers.has(change.number) && endOf(change) > at);
    this.#open = [...kept, ...changes.filter(({ closed }) => closed === null)].sort(
      (a, b) => a.number - b.number,
    );
    this.#revision = revision;
    this.#newestNumber = Math.max(this.#newestNumber, ...numbers);
    this.#newestAt = at;
  }

  async #load(): Promise<void> {
    const { governance } = this.#options.store;
    const { number, at } = await governance.newestChange();
    this.#revision = await governance.revision();
    this.#newestNumber = number;
    this.#newestAt = at;
    this.#open = await governance.changesAt(this.#recordedAt());
  }

  /** Never fails on its own: whoever asked is to see why it was refused. */
  async #refused(actor: Actor, command: Command, error: PlimsollError): Promise<void> {
    const { observer, store } = this.#options;
    observer?.refused(actor, command, error);
    if (error.httpStatus >= 500 || !this.#mayAudit(actor)) return;
    const subject =
      'id' in command
        ? command.id.slice(0, 40)
        : 'symbol' in command
          ? (command.symbol ?? 'all markets')
          : '';
    await store
      .appendAudit({
        at: this.time(),
        kind: 'refusal',
        actor: actor.name,
        subject: subject || command.act,
        reason: error.code,
        details: { command: plainOf(command), message: error.message },
      })
      .catch((thrown) => observer?.failed(asPlimsollError(thrown)));
  }

  #mayAudit({ name }: Actor): boolean {
    const hour = Math.floor(this.time() / HOUR_MILLISECONDS);
    const seen = this.#refusals.get(name);
    const count = seen?.hour === hour ? seen.count + 1 : 1;
    this.#refusals.set(name, { hour, count });
    return count <= MOST_AUDITED_REFUSALS_AN_HOUR;
  }
}

const noAccounts: AccountImpactSource = async () => null;

function hashOf(command: Command): string {
  return createHash('sha256')
    .update(canonicalJson(plainOf(command)))
    .digest('hex');
}

/** Whatever was sent, in a form that the chain can hold: short, and numbers that are none as words. */
function plainOf(command: Command): Record<string, unknown> {
  const given = Object.entries(command).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    given.map(([name, value]) => {
      if (typeof value === 'string') return [name, value.slice(0, 500)];
      return [name, typeof value === 'number' && !Number.isFinite(value) ? String(value) : value];
    }),
  );
}
