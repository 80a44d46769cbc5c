import { join } from 'node:path';
import { ensureCheckpointKey } from '../../data/checkpoint-key.ts';
import { levelFile } from '../../data/level-file.ts';
import { judgeQuality } from '../../data/quality.ts';
import { SqliteStateStore } from '../../data/sqlite-state-store.ts';
import { UserFilter } from '../../src/accounts/book/user-filter.ts';
import type { Intervention } from '../../src/accounts/interventions/intervention.ts';
import type { ManualClock } from '../../src/clock.ts';
import { type AccountAnswerer, Accounts } from '../../src/control/accounts/account-access.ts';
import { ControlPlane } from '../../src/control/control-plane.ts';
import {
  type BookProposer,
  type CycleFacts,
  DecisionCycle,
  type Proposal,
} from '../../src/control/decision-cycle.ts';
import { DecisionEngine } from '../../src/control/decision-engine.ts';
import type { Preview } from '../../src/control/governance/trials.ts';
import { PlimsollError } from '../../src/errors.ts';
import { FilteredPredictor, HistoricalPredictor, TailPredictor } from '../../src/forecast/classical.ts';
import type { Policy } from '../../src/limits/policy.ts';
import type { LimitBook } from '../../src/limits/types.ts';
import type { Random } from '../../src/random.ts';
import { CrashingStore } from './crashing-store.ts';
import type { SimulatedChampion } from './model.ts';
import type { SimulatedSource } from './source.ts';

/** What lives on when the process dies. */
export interface Surroundings {
  readonly clock: ManualClock;
  readonly policy: Policy;
  readonly source: SimulatedSource;
  readonly champion: SimulatedChampion;
  /** In their order: the accounts have a store of their own. */
  readonly interventions: readonly Intervention[];
  readonly chance: Random;
  /** Looked at while a decision is made. */
  readonly meanwhile: (service: SimulatedService) => Promise<void>;
  /** Makes the system worse on purpose; see the tests of the invariants. */
  readonly sabotage?: (proposal: Proposal, previous: LimitBook | null) => Proposal;
}

/** As long as the service waits for its decision worker. */
const TIME_LIMIT_MILLISECONDS = 300_000;

/** One life of the service, from a recovery to its death: the real control plane on the real store, without sockets and threads. */
export class SimulatedService {
  readonly disk: CrashingStore;
  readonly store: SqliteStateStore;
  readonly folder: string;
  readonly control: ControlPlane;
  readonly cycle: DecisionCycle;
  readonly worker: SimulatedWorker;
  /** Of the last cycle, where it failed. */
  failure: Error | null = null;
  /** What the last cycle published. */
  published: { readonly book: LimitBook; readonly facts: CycleFacts } | null = null;

  private constructor(
    surroundings: Surroundings,
    parts: Pick<SimulatedService, 'disk' | 'store' | 'folder' | 'control' | 'worker'>,
  ) {
    this.disk = parts.disk;
    this.store = parts.store;
    this.folder = parts.folder;
    this.control = parts.control;
    this.worker = parts.worker;
    const { control, disk } = parts;
    this.cycle = new DecisionCycle({
      proposer: parts.worker,
      store: disk.store,
      clock: surroundings.clock,
      policy: control.policy(),
      current: control.currentBook(),
      governance: () => control.governance.state(),
      intrabar: () => control.prices.report(),
      observer: {
        published: (book, _, facts) => {
          // A dead process shows nothing to anybody.
          if (disk.isDead) return;
          this.published = { book, facts };
          control.show(book, facts);
        },
        failed: (error) => {
          this.failure = error;
          control.decisionFailed(error);
        },
      },
    });
    parts.worker.meanwhile = () => surroundings.meanwhile(this);
  }

  /** Recovers from a folder as the service does when it starts. */
  static async start(folder: string, surroundings: Surroundings): Promise<SimulatedService> {
    const { clock, policy, interventions, chance } = surroundings;
    const signer = await ensureCheckpointKey(folder);
    const store = SqliteStateStore.open(folder, { signer, inputsKeptDays: 30 });
    const disk = new CrashingStore(store, folder, chance);
    const worker = new SimulatedWorker(surroundings, folder, disk);
    const control = await ControlPlane.recover({
      ...{ store: disk.store, clock, policy, preview: worker.preview },
      accounts: accountsOf(interventions),
      onFailure: () => {},
      listModels: async () => [],
    });
    return new SimulatedService(surroundings, { disk, store, folder, control, worker });
  }

  /** One look at whether there is something to decide. */
  async look(): Promise<void> {
    this.failure = null;
    this.published = null;
    await this.cycle.runOnce();
    await this.control.feed.settled();
  }
}

/** The decision engine as a worker that can be lost: what it had in memory is gone then. */
export class SimulatedWorker implements BookProposer {
  readonly #surroundings: Surroundings;
  readonly #folder: string;
  readonly #disk: CrashingStore;
  #engine: DecisionEngine | null = null;
  meanwhile: () => Promise<void> = async () => {};

  constructor(surroundings: Surroundings, folder: string, disk: CrashingStore) {
    this.#surroundings = surroundings;
    this.#folder = folder;
    this.#disk = disk;
  }

  preview: Preview = async (...asked) => {
    if (this.#engine === null) throw new PlimsollError('INTERNAL', 'no decision worker runs');
    return this.#engine.preview(...asked);
  };

  /** It dies between two requests. */
  lose(): void {
    this.#engine = null;
  }

  async propose(...asked: Parameters<BookProposer['propose']>): Promise<Proposal | null> {
    this.#engine ??= this.#start();
    const proposal = await Promise.race([this.#engine.propose(...asked), this.#givenUp()]);
    await this.meanwhile();
    const { sabotage } = this.#surroundings;
    return proposal === null || sabotage === undefined ? proposal : sabotage(proposal, asked[0]);
  }

  #givenUp(): Promise<never> {
    const { champion, clock } = this.#surroundings;
    return new Promise((_, reject) => {
      champion.onHang = () => {
        clock.advance(TIME_LIMIT_MILLISECONDS);
        this.#engine = null;
        reject(new PlimsollError('INTERNAL', 'the decision worker gave no answer in 300 seconds'));
      };
    });
  }

  #start(): DecisionEngine {
    const { source, champion, policy } = this.#surroundings;
    const levels = levelFile(this.#folder);
    return new DecisionEngine({
      ...{ reader: source, champion, policy, judgeQuality },
      historical: new HistoricalPredictor(),
      filtered: new FilteredPredictor(),
      tail: new TailPredictor(),
      // A dead process writes no file.
      levels: {
        load: levels.load,
        save: async (state) => (this.#disk.isDead ? undefined : levels.save(state)),
      },
      stopwatch: () => 0,
    });
  }
}

/** Accounts that nobody has sent; their interventions are those of the surroundings. */
function accountsOf(interventions: readonly Intervention[]): Accounts {
  const ask: AccountAnswerer['ask'] = async (kind, request) => {
    if (kind === 'marks') return [] as never;
    if (kind !== 'interventions') return null as never;
    const { after, limit } = request as unknown as { readonly after: number; readonly limit: number };
    return interventions.filter(({ sequence }) => sequence > after).slice(0, limit) as never;
  };
  return new Accounts({ ask, setTerms: async () => {} }, () => {}, new UserFilter());
}

/** A folder for each life. */
export function folderOfLife(root: string, life: number): string {
  return join(root, `life-${life}`);
}
