import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SqliteStateStore } from '../../data/sqlite-state-store.ts';
import type { StateStore } from '../../src/control/ports.ts';
import { PlimsollError } from '../../src/errors.ts';
import type { Random } from '../../src/random.ts';

/** What a process that is gone says to whatever of it still runs. */
export class ProcessDied extends Error {}

/** How a write goes wrong. A torn one reaches the disk in part: the machine stops in the midst of it. */
export const WRITE_FAULTS = ['diesBefore', 'diesTorn', 'diesAfter', 'diskFails'] as const;
export type WriteFault = (typeof WRITE_FAULTS)[number];

const WRITES: ReadonlySet<string | symbol> = new Set([
  'publish',
  'appendAudit',
  'appendCheckpoint',
  'putUser',
  'record',
  'appendEvents',
  'setCursor',
]);

/** Files of the data folder beside the database; the shared memory is of the process and dies with it. */
const DATABASE = 'state.sqlite';
const LOG = 'state.sqlite-wal';
const OTHERS = ['levels.json', 'checkpoint.key', 'checkpoint.pub'];

/**
 * The real store, with a write that can fail, and a process that can die before, in and after it. What a dead process
 * still asks for is refused; what it left on the disk, byte for byte, is all that the next one gets.
 */
export class CrashingStore {
  readonly store: StateStore;
  readonly #real: SqliteStateStore;
  readonly #folder: string;
  readonly #random: Random;
  #planned: { readonly fault: WriteFault; writesLeft: number } | null = null;
  /** The log of the database as the disk has it, where that is not what the file says. */
  #torn: Buffer | null = null;
  isDead = false;

  constructor(real: SqliteStateStore, folder: string, random: Random) {
    this.#real = real;
    this.#folder = folder;
    this.#random = random;
    const parts = { governance: this.#guarded(real.governance), outbox: this.#guarded(real.outbox) };
    this.store = this.#guarded(real, parts) as StateStore;
  }

  /** Of the write after so many others. */
  plan(fault: WriteFault, writes: number): void {
    this.#planned = { fault, writesLeft: writes };
  }

  get isPlanned(): boolean {
    return this.#planned !== null;
  }

  /** Ends the process now, if it is not dead, and leaves in another folder what the disk has of it. */
  async leaveTo(folder: string): Promise<void> {
    this.isDead = true;
    mkdirSync(folder, { recursive: true });
    for (const name of [DATABASE, LOG, ...OTHERS])
      if (existsSync(join(this.#folder, name))) cpSync(join(this.#folder, name), join(folder, name));
    if (this.#torn !== null) writeFileSync(join(folder, LOG), this.#torn);
    await this.#real.close();
    rmSync(this.#folder, { recursive: true });
  }

  #guarded<T extends object>(target: T, parts: Readonly<Record<string, object>> = {}): T {
    return new Proxy(target, {
      get: (_, name) => {
        if (typeof name === 'string' && name in parts) return parts[name];
        const value = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return async (...given: unknown[]) => {
          if (this.isDead) throw new ProcessDied();
          const work = async (): Promise<unknown> => value.apply(target, given);
          return WRITES.has(name) ? this.#write(work) : work();
        };
      },
    });
  }

  async #write(work: () => Promise<unknown>): Promise<unknown> {
    const plan = this.#planned;
    if (plan === null || plan.writesLeft-- > 0) return work();
    this.#planned = null;
    switch (plan.fault) {
      case 'diskFails':
        throw new PlimsollError('IO_FAILED', 'the simulated disk is full');
      case 'diesBefore':
        break;
      case 'diesAfter':
        await work().catch(() => {});
        break;
      case 'diesTorn':
        await this.#tear(work);
    }
    this.isDead = true;
    throw new ProcessDied();
  }

  /** Lets the write happen and keeps only a part of what it wrote. */
  async #tear(work: () => Promise<unknown>): Promise<void> {
    const [database, log] = [join(this.#folder, DATABASE), join(this.#folder, LOG)];
    const before = existsSync(log) ? readFileSync(log) : Buffer.alloc(0);
    const changedAt = statSync(database, { bigint: true }).mtimeNs;
    await work().catch(() => {});
    // The log went into the database already: that comes only after all of it is on the disk.
    if (statSync(database, { bigint: true }).mtimeNs !== changedAt) return;
    const after = readFileSync(log);
    let from = 0;
    while (from < Math.min(before.length, after.length) && before[from] === after[from]) from++;
    const cut = from + this.#random.integer(Math.max(1, after.length - from));
    this.#torn = Buffer.concat([after.subarray(0, cut), before.subarray(cut)]);
  }
}
