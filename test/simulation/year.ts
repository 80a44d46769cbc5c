import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Intervention } from '../../src/accounts/interventions/intervention.ts';
import { isoTime, ManualClock } from '../../src/clock.ts';
import type { Proposal } from '../../src/control/decision-cycle.ts';
import { DEFAULT_POLICY, type Policy } from '../../src/limits/policy.ts';
import type { LimitBook } from '../../src/limits/types.ts';
import { Random } from '../../src/random.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { Checks } from './checks.ts';
import { WRITE_FAULTS } from './crashing-store.ts';
import { EXCEEDANCE_INVARIANT, type ExceedanceCounts, Exceedances } from './exceedances.ts';
import { type PublishedStep, type Violation, violationsOf } from './invariants/invariant.ts';
import type { ServiceView } from './invariants/of-service.ts';
import { Ledger } from './ledger.ts';
import { SimulatedMarks } from './marks.ts';
import { SimulatedChampion } from './model.ts';
import { People } from './people.ts';
import { Readers } from './readers.ts';
import { folderOfLife, SimulatedService, type Surroundings } from './service.ts';
import { World } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly days: number;
  /** How many times as often people act and things go wrong as in an ordinary year; above 1 recoveries fail too. */
  readonly intensity?: number;
  readonly policy?: Policy;
  /** Where the folders of the service are made, and removed in the end; that of the machine for such things otherwise. */
  readonly parent?: string;
  /** Makes the system worse on purpose, to see whether that is seen. */
  readonly sabotage?: (proposal: Proposal, previous: LimitBook | null) => Proposal;
  /** The same for a life of the service, right after it began. */
  readonly sabotageService?: (service: SimulatedService) => void;
  readonly onStep?: (step: PublishedStep) => void;
  readonly onView?: (view: ServiceView) => void;
  /** Called after each simulated day. */
  readonly onDay?: (day: number, simulation: Simulation) => void;
}

export interface SimulationResult {
  readonly seed: number;
  readonly days: number;
  readonly decisions: number;
  readonly moves: Readonly<Record<string, number>>;
  readonly crashes: number;
  readonly failedCycles: number;
  readonly steps: number;
  readonly refusals: number;
  readonly retries: number;
  readonly userPolicies: number;
  readonly lies: ReadonlyMap<string, number>;
  readonly modelFailures: number;
  readonly events: number;
  readonly asked: number;
  readonly replays: number;
  readonly exceedances: ExceedanceCounts;
  /** Of the last book: two runs of a seed end with the same one. */
  readonly hash: string;
  /** Those of the first moment that had any; empty where everything held. */
  readonly violations: readonly Violation[];
  /** What happened before them, the newest last. */
  readonly trace: readonly string[];
}

/** Probabilities, per hour but for the last ones. */
const WRITE_FAULT = 1 / 60;
const DEATH = 1 / 150;
const LOST_WORKER = 1 / 200;
const SKEW_BEGINS = 1 / 300;
const SKEW_ENDS = 1 / 4;
const SKEWS_MINUTES = [-120, -20, -1, 0.5, 5, 90];
/** Per moment. */
const PEOPLE_ACT = 0.06;
const PEOPLE_ACT_MEANWHILE = 0.01;
const INTERVENTION = 0.05;
const STAYS_DOWN = 0.2;
/** Per recovery. */
const VERIFY = 0.03;
/** The same, for each step of intensity above 1. */
const DIES_RECOVERING = 0.05;
const TRACE_LINES = 80;
/** Looks at one moment: what one leaves is done by the next, as in a service that is woken. */
const MOST_LOOKS = 6;

/** Simulates so many days of the service, its markets, its people and its faults, until something does not hold. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const root = mkdtempSync(join(options.parent ?? tmpdir(), 'plimsoll-year-'));
  const simulation = new Simulation(options, root);
  try {
    return await simulation.run();
  } finally {
    await simulation.close();
    rmSync(root, { recursive: true });
  }
}

export class Simulation {
  readonly #options: SimulationOptions;
  readonly #root: string;
  readonly #random: Random;
  readonly #recoveries: Random;
  readonly #intensity: number;
  readonly #world: World;
  readonly #clock: ManualClock;
  readonly #champion: SimulatedChampion;
  readonly #marks: SimulatedMarks;
  readonly #people: People;
  readonly #readers: Readers;
  readonly #exceedances = new Exceedances();
  readonly #interventions: Intervention[] = [];
  readonly #surroundings: Surroundings;
  readonly checks: Checks;
  #service: SimulatedService | null = null;
  #lives = 0;
  #skew = 0;
  #failedCycles = 0;
  #isOvertaken = false;
  #violations: Violation[] = [];
  #metByPeople: string[] = [];
  readonly #trace: string[] = [];

  constructor(options: SimulationOptions, root: string) {
    const { seed, days, policy = DEFAULT_POLICY, sabotage, onStep, onView } = options;
    this.#options = options;
    this.#root = root;
    this.#random = Random.stream(seed, 'faults');
    this.#recoveries = Random.stream(seed, 'recoveries');
    this.#intensity = options.intensity ?? 1;
    this.#world = new World(seed, days);
    this.#clock = new ManualClock(this.#world.time);
    this.#champion = new SimulatedChampion(seed);
    this.#marks = new SimulatedMarks(seed, this.#world.markets);
    const ledger = new Ledger();
    this.#people = new People(seed, ledger, (what) => this.#note(what));
    this.#readers = new Readers(seed);
    this.checks = new Checks({ world: this.#world, ledger, policy, seed, onStep, onView });
    this.#surroundings = {
      ...{ clock: this.#clock, policy, source: this.#world.source, champion: this.#champion },
      ...{ interventions: this.#interventions, chance: Random.stream(seed, 'torn writes') },
      meanwhile: (service) => this.#meanwhile(service),
      ...(sabotage === undefined ? {} : { sabotage }),
    };
  }

  async run(): Promise<SimulationResult> {
    const { days, onDay } = this.#options;
    for (let hour = 0; hour < days * 24 && this.#violations.length === 0; hour++) {
      await this.#hour();
      if (hour % 24 === 23) onDay?.((hour + 1) / 24, this);
    }
    if (this.#violations.length === 0) await this.#finish();
    const { decisions, moves, asked, replays, head } = this.checks;
    const { steps, refusals, retries, userPolicies } = this.#people;
    return {
      ...{ seed: this.#options.seed, days, decisions, moves, asked, replays },
      ...{ steps, refusals, retries, userPolicies, failedCycles: this.#failedCycles },
      crashes: Math.max(0, this.#lives - 1),
      lies: new Map([...this.#world.source.lies, ...this.#marks.lies]),
      modelFailures: this.#champion.failures,
      events: this.#readers.events,
      exceedances: this.#exceedances.counts(),
      hash: head?.hash ?? '',
      violations: this.#violations,
      trace: this.#trace,
    };
  }

  async close(): Promise<void> {
    await this.#service?.store.close();
    this.#service = null;
  }

  /** Some moments within the hour, the ends of what people set, then its close. */
  async #hour(): Promise<void> {
    const random = this.#random;
    const from = this.#world.time;
    const end = this.#world.hourEnds;
    this.#champion.live();
    this.#plan();
    const offsets = Array.from({ length: random.integer(3) }, () => random.integer(Math.max(1, end - from)));
    const ends = this.#people.ledger
      .endsBetween(from + this.#skew, end + this.#skew)
      .map((at) => at - this.#skew);
    const moments = [...offsets.map((offset) => from + offset), ...ends].sort((a, b) => a - b);
    for (const moment of moments) {
      await this.#moment(Math.min(moment, end), false);
      if (this.#violations.length > 0) return;
    }
    const closed = this.#world.closeHour();
    for (const [symbol, bar] of closed) this.#exceedances.happened(symbol, bar);
    await this.#moment(end + 1000 * (2 + random.integer(90)), true);
    const book = this.#service?.published?.book;
    if (book === undefined) return;
    for (const [symbol, bar] of closed)
      if (this.#world.source.closesAt(symbol, bar.openTime + HOUR_MILLISECONDS, bar.close))
        this.#exceedances.published(book, symbol, bar);
  }

  /** What will go wrong in this hour. */
  #plan(): void {
    const random = this.#random;
    const service = this.#service;
    if (random.uniform() < WRITE_FAULT * this.#intensity && service !== null && !service.disk.isPlanned) {
      const fault = WRITE_FAULTS[random.integer(WRITE_FAULTS.length)];
      service.disk.plan(fault, random.integer(4));
      this.#note(`a write will go wrong: ${fault}`);
    }
    if (random.uniform() < LOST_WORKER * this.#intensity) service?.worker.lose();
    if (this.#skew !== 0 && random.uniform() < SKEW_ENDS) this.#skew = 0;
    else if (random.uniform() < SKEW_BEGINS * this.#intensity)
      this.#skew = 60_000 * SKEWS_MINUTES[random.integer(SKEWS_MINUTES.length)];
  }

  async #moment(time: number, isClose: boolean): Promise<void> {
    const random = this.#random;
    this.#world.time = Math.max(this.#world.time, time);
    this.#clock.set(this.#world.time + this.#skew);
    if (this.#service === null) {
      if (this.#lives > 0 && random.uniform() < STAYS_DOWN) return;
      await this.#recover();
      if (this.#violations.length > 0) return;
    }
    const service = this.#service;
    if (service === null) return;
    if (!isClose) {
      const prices = this.#marks.batch(this.#world.listed(), this.#world.time);
      service.control.prices.take(prices, this.#clock.now());
      if (random.uniform() < PEOPLE_ACT * this.#intensity) await this.#act(service);
      if (random.uniform() < INTERVENTION) await this.#intervene(service);
    }
    if (random.uniform() < (DEATH / 3) * this.#intensity) service.disk.isDead = true;
    if (!service.disk.isDead) await this.#lookAll(service);
    if (!service.disk.isDead) await this.#readers.look(service);
    if (service.disk.isDead) await this.#bury(service);
  }

  /** Looks until nothing is left to do, as a service that is woken does, then checks. */
  async #lookAll(service: SimulatedService): Promise<void> {
    let isHealthy = false;
    for (let look = 0; look < MOST_LOOKS; look++) {
      this.#isOvertaken = false;
      const hadFault = service.disk.isPlanned;
      this.checks.looks(this.#clock.now());
      await service.look();
      if (service.disk.isDead) return;
      if (service.failure !== null) {
        this.#failedCycles++;
        this.#note(`a cycle failed: ${service.failure.message}`);
      }
      isHealthy = service.failure === null && !this.#world.source.isUnreadable && !this.#isOvertaken;
      await this.#checkBooks(service);
      const isAgain = service.published?.facts.guarded !== undefined || this.#isOvertaken || hadFault;
      isHealthy &&= !isAgain;
      if (!isAgain || this.#violations.length > 0) break;
    }
    await this.#checkService(service, isHealthy);
  }

  async #checkBooks(service: SimulatedService): Promise<void> {
    const before = this.checks.decisions;
    this.#found(await this.checks.books(service));
    const book = this.checks.head;
    if (book !== null && book.version > before)
      this.#note(
        `book ${book.version}: ${book.markets.map((one) => `${one.symbol} ${one.governor.move} ${one.brackets[0].maxLeverage}x ${one.bindingBound}`).join(', ')}`,
      );
  }

  async #checkService(
    service: SimulatedService,
    wasHealthy: boolean,
    how: { readonly isRecovered?: boolean; readonly verify?: boolean } = {},
  ): Promise<void> {
    const metByPeople = this.#metByPeople.splice(0);
    const metByReaders = this.#readers.takeFaults();
    const seen = { metByPeople, metByReaders, wasHealthy };
    this.#found(await this.checks.service(service, this.#clock.now(), seen, how));
  }

  async #act(service: SimulatedService): Promise<void> {
    this.#metByPeople.push(...(await this.#people.act(service, this.#clock.now())));
  }

  /** People do not wait for a decision that is being made. */
  async #meanwhile(service: SimulatedService): Promise<void> {
    if (service.disk.isDead || this.#random.uniform() >= PEOPLE_ACT_MEANWHILE * this.#intensity) return;
    this.#clock.advance(this.#random.integer(5000));
    const before = this.#people.ledger.revision;
    await this.#act(service);
    if (this.#people.ledger.revision !== before) this.#isOvertaken = true;
  }

  async #intervene(service: SimulatedService): Promise<void> {
    const sequence = this.#interventions.length + 1;
    this.#interventions.push({
      ...{
        sequence,
        at: this.#clock.now(),
        kind: 'warning',
        mode: 'advise',
        cause: 'price',
        movedMarkets: [],
      },
      ...{ accountId: `account-${sequence % 50}`, userId: `user-${sequence % 50}`, symbol: null, side: null },
      ...{
        status: 'warning',
        previousStatus: 'healthy',
        marginRatio: 0.8,
        equity: 100,
        maintenanceMargin: 80,
      },
      ...{ shortfall: 0, stage: 0, plan: [], limitsVersion: this.checks.decisions },
    } as Intervention);
    await service.control.feed.pump();
  }

  async #recover(): Promise<void> {
    const folder = folderOfLife(this.#root, this.#lives++);
    const service = await SimulatedService.start(folder, this.#surroundings);
    this.#service = service;
    this.#options.sabotageService?.(service);
    this.#note(
      `the service starts for the ${this.#lives}. time, with book ${service.control.currentBook()?.version ?? 0}`,
    );
    await this.#checkBooks(service);
    this.#metByPeople.push(...(await this.#people.comeBack(service)));
    const fault = this.#recoveries.uniform() < DIES_RECOVERING * (this.#intensity - 1);
    if (fault)
      service.disk.plan(
        WRITE_FAULTS[this.#recoveries.integer(WRITE_FAULTS.length)],
        this.#recoveries.integer(3),
      );
    try {
      await service.disk.store.appendAudit({
        ...{ at: this.#clock.now(), kind: 'start', actor: 'service', subject: 'service' },
        ...{ reason: 'a start', details: { life: this.#lives } },
      });
      await service.disk.store.appendCheckpoint(this.#clock.now());
    } catch {
      // A start that cannot say so ends; somebody starts it again.
      await this.#bury(service);
      return;
    }
    await this.#readers.connect(service);
    await this.#checkService(service, false, { isRecovered: true, verify: this.#random.uniform() < VERIFY });
  }

  async #bury(service: SimulatedService): Promise<void> {
    this.#note('the process dies');
    this.#service = null;
    await service.disk.leaveTo(folderOfLife(this.#root, this.#lives));
  }

  /** The end of the simulation: everybody reads to the end, and the whole store is verified. */
  async #finish(): Promise<void> {
    if (this.#service === null) await this.#recover();
    const service = this.#service;
    if (service === null) return;
    await service.control.feed.pump();
    await this.#readers.finish(service);
    this.#metByPeople.push(...this.#readers.untold(this.checks.decisions, this.#interventions.length));
    await this.#checkService(service, false, { isRecovered: true, verify: true });
    this.#found(violationsOf([EXCEEDANCE_INVARIANT], this.#exceedances.counts()));
  }

  #found(violations: readonly Violation[]): void {
    this.#violations.push(...violations);
    for (const { invariant, fault } of violations) this.#note(`VIOLATED ${invariant}: ${fault}`);
  }

  #note(what: string): void {
    this.#trace.push(`${isoTime(this.#clock.now())} ${what}`);
    if (this.#trace.length > TRACE_LINES) this.#trace.shift();
  }
}
