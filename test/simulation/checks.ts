import { readPublicKeys } from '../../data/checkpoint-key.ts';
import { verificationFaults } from '../../src/control/ports.ts';
import { replay } from '../../src/control/replay.ts';
import { decodeInputs } from '../../src/limits/decision-inputs.ts';
import { inForceKey } from '../../src/limits/governance.ts';
import type { Policy } from '../../src/limits/policy.ts';
import type { LimitBook } from '../../src/limits/types.ts';
import { Random } from '../../src/random.ts';
import { type PublishedStep, type Violation, violationsOf } from './invariants/invariant.ts';
import { type MarketMemory, remembered } from './invariants/memory.ts';
import { BOOK_INVARIANTS } from './invariants/of-books.ts';
import { MOVE_INVARIANTS } from './invariants/of-moves.ts';
import { PEOPLE_INVARIANTS } from './invariants/of-people.ts';
import { type Kept, SERVICE_INVARIANTS, type ServiceView } from './invariants/of-service.ts';
import { type Ledger, sortedJson } from './ledger.ts';
import type { SimulatedService } from './service.ts';
import type { World } from './world.ts';

export const STEP_INVARIANTS = [...BOOK_INVARIANTS, ...MOVE_INVARIANTS, ...PEOPLE_INVARIANTS];

const REPLAY_PROBABILITY = 0.01;
/** Inputs are kept for a month. */
const REPLAYED_MILLISECONDS = 25 * 86_400_000;

export interface CheckOptions {
  readonly world: World;
  readonly ledger: Ledger;
  readonly policy: Policy;
  readonly seed: number;
  /** Sees every step that was checked. */
  readonly onStep?: ((step: PublishedStep) => void) | undefined;
  /** Sees the service as it was checked. */
  readonly onView?: ((view: ServiceView) => void) | undefined;
}

/** Looks at the service from outside after everything that happens, and holds it against every invariant. */
export class Checks {
  readonly #options: CheckOptions;
  readonly #random: Random;
  #book: LimitBook | null = null;
  #memory: ReadonlyMap<string, MarketMemory> = new Map();
  /** Of the last whole decision. */
  #read: string | null = null;
  #latestClock = 0;
  #closes: Readonly<Record<'newest' | 'known', ReadonlyMap<string, number | null>>> = {
    newest: new Map(),
    known: new Map(),
  };
  #audit = { length: 0, hash: '' };
  /** Versions by the time that they were decided, oldest first: for replays. */
  readonly #replayable: { readonly version: number; readonly decidedAt: number }[] = [];
  /** How many times an invariant was asked. */
  asked = 0;
  replays = 0;
  moves: Record<string, number> = {};

  constructor(options: CheckOptions) {
    this.#options = options;
    this.#random = Random.stream(options.seed, 'checks');
  }

  /** Of the newest book that was checked. */
  get decisions(): number {
    return this.#book?.version ?? 0;
  }

  get head(): LimitBook | null {
    return this.#book;
  }

  /** A decision begins: what can be known by now. A book that is found only after a crash was made from this too. */
  looks(now: number): void {
    const { world } = this.#options;
    this.#latestClock = Math.max(this.#latestClock, now);
    this.#closes = { newest: world.newestCloses(now), known: world.newestCloses(this.#latestClock) };
  }

  /** Every book that is durable and was not looked at yet. */
  async books({ store }: SimulatedService): Promise<Violation[]> {
    const violations: Violation[] = [];
    for (;;) {
      const book = await store.bookByVersion(this.decisions + 1);
      if (book === null) return violations;
      violations.push(...(await this.#step(store, book)));
      this.#book = book;
      this.#replayable.push({ version: book.version, decidedAt: book.decidedAt });
    }
  }

  async #step(store: SimulatedService['store'], book: LimitBook): Promise<Violation[]> {
    const { ledger, policy, onStep } = this.#options;
    const encoded = await store.inputs(book.version);
    if (encoded === null)
      return [{ invariant: 'replay-is-equal', fault: `book ${book.version} has no inputs` }];
    const inputs = decodeInputs(encoded);
    const guarded = await guardedOf(store, book);
    const step: PublishedStep = {
      ...{ before: this.#book, book, inputs, guarded, policy, ledger, memory: this.#memory },
      newestCloses: this.#closes.newest,
      knownCloses: this.#closes.known,
    };
    const violations = violationsOf(STEP_INVARIANTS, step);
    this.asked += STEP_INVARIANTS.length;
    onStep?.(step);
    const { governance } = inputs.context;
    const isEmergency = governance.emergency !== null && governance.emergency.expiresAt > book.decidedAt;
    this.#memory = remembered(this.#memory, this.#book, book, isEmergency);
    if (guarded === null) this.#read = inForceKey(governance, book.decidedAt);
    for (const { symbol, governor } of book.markets)
      if (guarded === null || guarded.has(symbol))
        this.moves[governor.move] = (this.moves[governor.move] ?? 0) + 1;
    return violations;
  }

  /** The service itself. After a recovery everything that was acknowledged is looked at, otherwise a part. */
  async service(
    service: SimulatedService,
    now: number,
    seen: Pick<ServiceView, 'metByPeople' | 'metByReaders' | 'wasHealthy'>,
    options: { readonly isRecovered?: boolean; readonly verify?: boolean } = {},
  ): Promise<Violation[]> {
    const { control } = service;
    const { world, ledger } = this.#options;
    // A clock that goes back brings nothing into force again.
    const at = Math.max(now, this.#book?.decidedAt ?? 0);
    const inForce = ledger
      .inForce(at)
      .filter(({ kind }) => kind !== 'emergency')
      .map(({ id }) => id);
    const emergency = ledger.emergencyAt(at);
    const must = [
      ...inForce.sort(),
      ...(emergency === null ? [] : [`emergency at ${emergency.requested.at}`]),
    ].join();
    const view: ServiceView = {
      ...seen,
      ...{ now, book: control.currentBook(), status: control.status(), hasFailed: service.failure !== null },
      governed: this.#read === null ? null : { read: this.#read, now: must },
      newestCloses: new Map([...world.newestCloses(now)].filter(([symbol]) => world.source.isListed(symbol))),
      kept: await this.#kept(service, options.isRecovered === true),
      audit: await this.#auditOf(service),
      replayed: await this.#replayed(service),
      verified: options.verify ? await verified(service) : null,
    };
    this.asked += SERVICE_INVARIANTS.length;
    this.#options.onView?.(view);
    return violationsOf(SERVICE_INVARIANTS, view);
  }

  async #kept({ control, store }: SimulatedService, isAll: boolean): Promise<readonly Kept[]> {
    const { ledger } = this.#options;
    const shown = control.currentBook();
    const kept: Kept[] = [
      { what: 'the book in force', acknowledged: this.#book?.hash ?? 'none', found: shown?.hash ?? 'none' },
    ];
    const users = [...ledger.users.values()];
    const changes = [...ledger.changes.values()];
    const some = <T>(of: readonly T[]): readonly T[] =>
      isAll || of.length === 0 ? of.slice(-300) : [of[this.#random.integer(of.length)]];
    for (const user of some(users))
      kept.push({
        what: `the policy of ${user.userId}`,
        acknowledged: sortedJson(user),
        found: sortedJson(control.userNow(user.userId)),
      });
    for (const change of some(changes))
      kept.push({
        what: change.id,
        acknowledged: sortedJson(change),
        found: sortedJson(await store.governance.change(change.id)),
      });
    kept.push({
      what: 'the revision',
      acknowledged: String(ledger.revision),
      found: String(control.governance.revision()),
    });
    return kept;
  }

  async #auditOf({ store }: SimulatedService): Promise<ServiceView['audit']> {
    const before = this.#audit;
    const length = await store.auditLength();
    const same = before.length === 0 ? null : await store.auditEntry(before.length);
    const newest = await store.auditEntry(length);
    this.#audit = { length, hash: newest?.hash ?? '' };
    return { length, lengthBefore: before.length, isSame: before.length === 0 || same?.hash === before.hash };
  }

  async #replayed({ store }: SimulatedService): Promise<ServiceView['replayed']> {
    if (this.#book === null || this.#random.uniform() >= REPLAY_PROBABILITY) return null;
    const since = this.#book.decidedAt - REPLAYED_MILLISECONDS;
    while (this.#replayable.length > 0 && this.#replayable[0].decidedAt < since) this.#replayable.shift();
    const { version } = this.#replayable[this.#random.integer(this.#replayable.length)];
    const [book, previous] = [await store.bookByVersion(version), await store.bookByVersion(version - 1)];
    const inputs = await store.inputs(version);
    if (book === null || inputs === null) return { version, difference: 'what is stored: nothing' };
    this.replays++;
    const { difference } = replay(book, previous, inputs);
    return { version, difference: difference === null ? null : JSON.stringify(difference) };
  }
}

/** The markets of a decision of the guard, by the audit; null for a decision about all. */
async function guardedOf(
  store: SimulatedService['store'],
  book: LimitBook,
): Promise<ReadonlySet<string> | null> {
  const length = await store.auditLength();
  for (let end = length; end > 0; end -= 20) {
    const entries = await store.auditAfter(Math.max(0, end - 20), 20);
    const entry = entries.findLast(({ kind, details }) => kind === 'decision' && details.hash === book.hash);
    if (entry !== undefined)
      return entry.details.guarded === undefined ? null : new Set(entry.details.guarded as string[]);
  }
  throw new Error(`book ${book.version} has no entry in the audit`);
}

async function verified({ store, folder }: SimulatedService): Promise<readonly string[]> {
  return verificationFaults(await store.verify(await readPublicKeys(folder)));
}
