import type { Acted, Conditions } from '../../src/control/governance/desk.ts';
import type { Actor, Command } from '../../src/control/governance/rules.ts';
import type { UserPolicy } from '../../src/control/ports.ts';
import { asPlimsollError } from '../../src/errors.ts';
import { Random } from '../../src/random.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { type Ledger, sortedJson } from './ledger.ts';
import type { SimulatedService } from './service.ts';

const ANN: Actor = { name: 'ann', role: 'operator', key: 'aaaa' };
const BOB: Actor = { name: 'bob', role: 'approver', key: 'bbbb' };
const CAROL: Actor = { name: 'carol', role: 'approver', key: 'cccc' };
/** Bob under another name. */
const ROBERT: Actor = { name: 'robert', role: 'approver', key: 'bbbb' };
const RITA: Actor = { name: 'rita', role: 'reader', key: 'dddd' };
const ACTORS = [ANN, ANN, ANN, BOB, BOB, CAROL, CAROL, ROBERT, RITA];

/** A step that was asked for by somebody who never heard what became of it. */
interface Unanswered {
  readonly actor: Actor;
  readonly command: Command;
  readonly key: string | undefined;
}

/** Operators at their work: sensible and foolish commands, retries, old revisions; and user policies. */
export class People {
  readonly ledger: Ledger;
  readonly #random: Random;
  #numbered = 0;
  /** What was asked for with a key and acknowledged, for those that ask again. */
  #answered: {
    readonly actor: Actor;
    readonly command: Command;
    readonly key: string;
    readonly acted: Acted;
  }[] = [];
  #unanswered: Unanswered | null = null;
  #unansweredUser: UserPolicy | null = null;
  steps = 0;
  refusals = 0;
  retries = 0;
  userPolicies = 0;
  readonly #note: (what: string) => void;

  constructor(seed: number, ledger: Ledger, note: (what: string) => void) {
    this.#note = note;
    this.#random = Random.stream(seed, 'people');
    this.ledger = ledger;
  }

  /** Somebody does something; what goes wrong beyond a refusal is returned in words. */
  async act(service: SimulatedService, now: number): Promise<string[]> {
    const random = this.#random;
    if (random.uniform() < 0.2) return this.#putUser(service, now);
    if (random.uniform() < 0.1 && this.#answered.length > 0) return this.#again(service);
    const actor = pick(random, ACTORS);
    const command = this.#command(service, now);
    const key = random.uniform() < 0.5 ? `key-${this.#numbered++}` : undefined;
    const conditions: Conditions = {
      ...(key === undefined ? {} : { idempotencyKey: key }),
      ...(random.uniform() < 0.3 ? { revisions: [this.#revision(service)] } : {}),
    };
    return this.#ask(service, actor, command, conditions);
  }

  async #ask(
    service: SimulatedService,
    actor: Actor,
    command: Command,
    conditions: Conditions,
  ): Promise<string[]> {
    const { ledger } = this;
    const { idempotencyKey: key } = conditions;
    const before = service.control.governance.revision();
    try {
      const acted = await service.control.governance.act(actor, command, conditions);
      this.steps++;
      this.#note(
        `${actor.name}: ${JSON.stringify(command)} made ${acted.changes.map(({ id }) => id).join(', ')}`,
      );
      ledger.done(acted.changes, acted.revision);
      if (key !== undefined) this.#answered = [...this.#answered.slice(-20), { actor, command, key, acted }];
      if (conditions.revisions?.includes(before) === false)
        return ['a step counted that names an old revision'];
      return acted.revision === before + 1
        ? []
        : [`a step took the revision from ${before} to ${acted.revision}`];
    } catch (thrown) {
      if (service.disk.isDead) {
        this.#unanswered = { actor, command, key };
        this.#note(`${actor.name}: ${JSON.stringify(command)} gets no answer`);
        return [];
      }
      this.refusals++;
      const { code, message } = asPlimsollError(thrown);
      this.#note(`${actor.name}: ${JSON.stringify(command)} is refused: ${code}`);
      const isTheirs = code !== 'INTERNAL';
      const faults = isTheirs ? [] : [`${actor.name} was told ${code} for ${command.act}: ${message}`];
      if (service.control.governance.revision() !== before && code !== 'CONFLICT')
        faults.push(`a refusal (${code}) has changed the revision`);
      return faults;
    }
  }

  /** The same request once more, as after an answer that got lost on the way. */
  async #again(service: SimulatedService): Promise<string[]> {
    const { actor, command, key, acted } = pick(this.#random, this.#answered);
    this.retries++;
    const before = service.control.governance.revision();
    try {
      const again = await service.control.governance.act(actor, command, { idempotencyKey: key });
      const isSame = sortedJson(again.changes) === sortedJson(acted.changes);
      if (!again.isRepeat || !isSame || service.control.governance.revision() !== before)
        return [`${actor.name} asked again with ${key}, and it was done again`];
      return [];
    } catch (thrown) {
      if (service.disk.isDead) return [];
      return [`${actor.name} asked again with ${key} and was told ${asPlimsollError(thrown).code}`];
    }
  }

  /** Whoever got no answer before the process died looks what became of it. What is there counts as acknowledged from now on. */
  async comeBack(service: SimulatedService): Promise<string[]> {
    const faults = await this.#lookForStep(service);
    const user = this.#unansweredUser;
    this.#unansweredUser = null;
    if (user !== null) {
      const found = service.control.userNow(user.userId);
      if (sortedJson(found) === sortedJson(user)) this.ledger.users.set(user.userId, user);
    }
    return faults;
  }

  async #lookForStep(service: SimulatedService): Promise<string[]> {
    const asked = this.#unanswered;
    this.#unanswered = null;
    const desk = service.control.governance;
    const wasDone = desk.revision() === this.ledger.revision + 1;
    if (!wasDone) return desk.revision() === this.ledger.revision ? [] : ['the revision is another one'];
    if (asked === null) return ['a step is there that nobody asked for'];
    const { actor, command, key } = asked;
    if (key !== undefined) {
      const again = await desk.act(actor, command, { idempotencyKey: key });
      this.ledger.done(again.changes, again.revision);
      return again.isRepeat ? [] : [`${actor.name} repeated what was done, and it was done twice`];
    }
    const newest = await service.store.auditAfter((await service.store.auditLength()) - 5, 5);
    const entry = newest.findLast(({ details }) => Array.isArray(details.changes));
    this.ledger.done((entry?.details.changes ?? []) as never, desk.revision());
    return [];
  }

  #revision(service: SimulatedService): number {
    const newest = service.control.governance.revision();
    return this.#random.uniform() < 0.5 ? newest : Math.max(0, newest - 1 - this.#random.integer(3));
  }

  #command(service: SimulatedService, now: number): Command {
    const random = this.#random;
    const reason = random.uniform() < 0.03 ? ' ' : `reason ${this.#numbered++}`;
    const book = service.control.currentBook();
    const symbol = pick(random, [...(book?.markets.map((one) => one.symbol) ?? []), 'NOPEUSDT']);
    const waiting = service.control.governance.open().filter(({ kind }) => kind === 'override');
    const known = [...this.ledger.changes.values()].slice(-8).map(({ id }) => id);
    const id = pick(random, [
      ...waiting.map((one) => one.id),
      ...waiting.map((one) => one.id),
      ...known,
      'override-0',
    ]);
    const chance = random.uniform();
    if (chance < 0.3) return this.#override(service, symbol, reason, now);
    if (chance < 0.5) return { act: 'approve', id, reason };
    if (chance < 0.57) return { act: 'reject', id, reason };
    if (chance < 0.64) return { act: 'withdraw', id, reason };
    const scope = random.uniform() < 0.4 ? null : symbol;
    if (chance < 0.74) return { act: 'freeze', symbol: scope, reason, ...this.#until(now, 30) };
    if (chance < 0.86) {
      const frozen = service.control.governance.open().filter(({ kind }) => kind === 'freeze');
      return { act: 'thaw', symbol: frozen.length > 0 ? pick(random, frozen).symbol : scope, reason };
    }
    if (chance < 0.94) return { act: 'declareEmergency', reason, ...this.#until(now, 20) };
    return { act: 'endEmergency', reason };
  }

  #override(service: SimulatedService, symbol: string, reason: string, now: number): Command {
    const random = this.#random;
    const { leverageLadder } = service.control.policy();
    const maxLeverage = random.uniform() < 0.04 ? 7.5 : pick(random, leverageLadder);
    const mayLoosen = pick(random, [undefined, undefined, true, false]);
    return { act: 'override', symbol, maxLeverage, mayLoosen, reason, ...this.#until(now, 48) };
  }

  #until(now: number, mostHours: number): { readonly expiresAt?: number; readonly hours?: number } {
    const random = this.#random;
    const hours = mostHours * random.uniform() ** 2;
    const chance = random.uniform();
    if (chance < 0.03) return { expiresAt: now - HOUR_MILLISECONDS };
    if (chance < 0.05) return { hours: 100_000 };
    return chance < 0.4
      ? { expiresAt: Math.floor(now + hours * HOUR_MILLISECONDS) + 1 }
      : { hours: hours + 0.01 };
  }

  async #putUser(service: SimulatedService, now: number): Promise<string[]> {
    const random = this.#random;
    const policy: UserPolicy = {
      userId: `user-${random.integer(200)}`,
      maxLeverage: pick(random, [null, 2, 5, 20]),
      accountCreatedAt: pick(random, [null, now - 86_400_000 * random.integer(400)]),
      ownInitialMarginRatePpm: pick(random, [null, 50_000, 200_000]),
      notionalCoefMicros: pick(random, [null, 500_000]),
      experienceClass: pick(random, [null, 'beginner', 'professional']),
      overrideMaxLeverage: null,
      overrideExpiresAt: null,
      overrideReason: null,
      updatedAt: now,
    };
    try {
      await service.control.putUser(policy, 'ann');
      this.userPolicies++;
      this.ledger.users.set(policy.userId, policy);
      return [];
    } catch (thrown) {
      if (service.disk.isDead) this.#unansweredUser = policy;
      else if (asPlimsollError(thrown).code !== 'IO_FAILED') return [`a user policy: ${String(thrown)}`];
      return [];
    }
  }
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.integer(values.length)];
}
