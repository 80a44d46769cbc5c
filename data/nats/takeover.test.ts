import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Intervention } from '../../src/control/ports.ts';
import { PartitionAsker } from '../../src/control/streams/partition-asker.ts';
import {
  eventOf,
  knowMarkets,
  prepareShard,
  shardDesk,
} from '../../src/control/streams/shard-owner.fixture.ts';
import { ShardStore } from '../../src/control/streams/shard-store.ts';
import { KILLS, killMoments, sayKills } from '../../test/kills.ts';
import { SqliteAccountStore } from '../sqlite-account-store.ts';
import { NatsBroker } from './nats-broker.ts';
import { dropStreams, testNats, testPrefix } from './test-server.ts';

const FIXTURE = fileURLToPath(new URL('./owning-process.fixture.ts', import.meta.url));
/** Few, so that an event that comes twice finds a later state of its account, and changes it back. */
const ACCOUNTS = 4;
/** Small, so that takeovers find snapshots, and journals that begin behind them. */
const SNAPSHOT_BYTES = 20_000;

const server = await testNats();
const url = server?.url ?? '';
let prefix: string;
let folder: string;
let broker: NatsBroker;
let owners: Owner[];

class Owner {
  readonly child: ChildProcess;
  readonly name: string;
  /** Interventions that it told, by their sequence. */
  readonly told: number[] = [];
  readonly #kept = Promise.withResolvers<void>();
  readonly ended: Promise<unknown>;
  states: string[] = [];

  constructor(name: string, own: string) {
    this.name = name;
    const args = [FIXTURE, url, prefix, name, join(folder, own), String(SNAPSHOT_BYTES)];
    this.child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    let text = '';
    this.child.stdout?.on('data', (chunk) => {
      const lines = `${text}${chunk}`.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('told ')) this.told.push(Number(line.slice(5)));
        else this.states.push(line);
        if (line === 'kept') this.#kept.resolve();
      }
    });
  }

  kept(): Promise<void> {
    return this.#kept.promise;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

function startOwner(name: string, own: string): Owner {
  const owner = new Owner(name, own);
  owners.push(owner);
  return owner;
}

/** Sends events one by one, some of them twice, until it is told to stop. */
function sender(): { readonly sent: () => number; stop(): Promise<number> } {
  let isOver = false;
  let sent = 0;
  const bytes = (event: number): Uint8Array => new TextEncoder().encode(eventOf(event, ACCOUNTS));
  const running = (async () => {
    while (!isOver) {
      await broker.log.append('accounts.0', bytes(sent), { id: `event ${sent}` });
      // A sender that had no answer sends again, under the same id.
      if (sent % 7 === 0) await broker.log.append('accounts.0', bytes(sent), { id: `event ${sent}` });
      sent++;
      await wait(1);
    }
  })();
  return {
    sent: () => sent,
    stop: async () => {
      isOver = true;
      await running;
      return sent;
    },
  };
}

/** What whoever claims the partition next has, from nothing but the streams. */
async function claimed(name: string) {
  const local = SqliteAccountStore.open(mkdtempSync(join(folder, name)));
  const { log } = broker;
  const store = await ShardStore.claim({ log, partition: 0, worker: name, local, onBroken: () => undefined });
  return { store, desk: shardDesk(store, Number.POSITIVE_INFINITY), close: () => local.close() };
}

/** The same events in one process that nothing happened to. */
async function undisturbed(events: number) {
  const store = SqliteAccountStore.open(mkdtempSync(join(folder, 'undisturbed')));
  const desk = shardDesk(store, Number.POSITIVE_INFINITY);
  knowMarkets(desk);
  for (let event = 0; event < events; event++) desk.takeLines(eventOf(event, ACCOUNTS), event);
  await desk.commit();
  return { store, desk, close: () => store.close() };
}

/** What happened, without when, and without what only time brings. */
function happened(interventions: readonly Intervention[]) {
  return interventions
    .filter(({ cause }) => cause !== 'coolDown')
    .map(({ accountId, kind, previousStatus, status, equity }) => ({
      accountId,
      kind,
      previousStatus,
      status,
      equity,
    }));
}

/** The newest entries of the journal may be claims, and what only time brought. */
async function untilTakenIn(last: number): Promise<void> {
  let reached = 0;
  while (reached < last) {
    const { last: end } = await broker.log.extent('journal.0');
    const newest = await broker.log.read('journal.0', Math.max(0, end - 20), 20);
    const texts = newest.map(({ body }) => new TextDecoder().decode(body));
    reached = Math.max(...texts.map((text) => Number(/"accounts":(\d+)/.exec(text)?.[1] ?? 0)));
    await wait(20);
  }
}

describe.skipIf(server === null)('a shard moves to another process', () => {
  beforeEach(async () => {
    prefix = testPrefix();
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-takeover-'));
    owners = [];
    broker = await NatsBroker.open({
      ...{ url, prefix, credentials: null, partitions: 1, replicas: 1, name: 'test' },
      leaseMilliseconds: 500,
    });
    await prepareShard(broker, 0, mkdtempSync(join(folder, 'prepared')));
  });
  afterEach(async () => {
    await Promise.all(owners.map((owner) => owner.kill()));
    await broker.close();
    await dropStreams(url, prefix);
    rmSync(folder, { recursive: true });
  });
  afterAll(() => server?.stop());

  async function expectNothingLostOrDoubled(events: number): Promise<void> {
    await untilTakenIn((await broker.log.extent('accounts.0')).last);
    await Promise.all(owners.map((owner) => owner.kill()));
    const found = await claimed('found');
    const expected = await undisturbed(events);
    const ids = Array.from({ length: ACCOUNTS }, (_, i) => `account-${i}`);
    expect(ids.map((id) => found.desk.reading(id))).toEqual(ids.map((id) => expected.desk.reading(id)));
    expect(found.store.positions().accounts).toBe((await broker.log.extent('accounts.0')).last);
    expect(found.desk.engine.lastSequence).toBeGreaterThan(50);
    // What the snapshots cover was forgotten here; those who owned the partition have it.
    const all = new Map<number, Intervention>();
    for (const own of ['a', 'b', 'c']) {
      for (const intervention of kept(own)) {
        const known = all.get(intervention.sequence);
        if (known !== undefined) expect(intervention).toEqual(known);
        all.set(intervention.sequence, intervention);
      }
    }
    for (const intervention of found.store.interventionsAfter(0, 1_000_000)) {
      expect(intervention).toEqual(all.get(intervention.sequence) ?? intervention);
      all.set(intervention.sequence, intervention);
    }
    const inOrder = [...all.values()].sort((one, other) => one.sequence - other.sequence);
    expect(inOrder.map(({ sequence }) => sequence)).toEqual(inOrder.map((_, i) => i + 1));
    expect(happened(inOrder)).toEqual(happened(expected.store.interventionsAfter(0, 1_000_000)));
    const told = owners.flatMap((owner) => owner.told);
    expect(new Set(told).size).toBe(told.length);
    found.close();
    expected.close();
  }

  function kept(own: string): readonly Intervention[] {
    const store = SqliteAccountStore.open(mkdirFor(own));
    const found = store.interventionsAfter(0, 1_000_000);
    store.close();
    return found;
  }

  function mkdirFor(own: string): string {
    const path = join(folder, own, '0');
    mkdirSync(path, { recursive: true });
    return path;
  }

  test('kill -9 of the owner, again and again while events come: none is lost, none has its effect twice', async () => {
    const moments = killMoments('shard');
    let owner = startOwner('a', 'a');
    await owner.kept();
    const sending = sender();
    let kills = 0;
    let standby = startOwner('b', 'b');
    while (kills < KILLS.shard) {
      // Every fourth dies before it has taken anything in; the others in the midst of it.
      if (kills % 4 !== 3) await untilTakenIn((await broker.log.extent('accounts.0')).last);
      await wait(moments.uniform() * 80);
      await owner.kill();
      kills++;
      const killed = owner;
      owner = standby;
      await owner.kept();
      // Every third comes back with nothing, on another machine as it were.
      if (kills % 3 === 0) rmSync(join(folder, killed.name), { recursive: true });
      standby = startOwner(killed.name, killed.name);
    }
    sayKills('shard', kills);
    await expectNothingLostOrDoubled(await sending.stop());
    expect(kills).toBe(KILLS.shard);
  }, 120_000);

  test('an owner that stood still while another took over writes nothing when it comes back, and waits', async () => {
    const first = startOwner('a', 'a');
    await first.kept();
    const sending = sender();
    const second = startOwner('b', 'b');
    await wait(200);
    for (const [paused, other] of [
      [first, second],
      [second, first],
    ]) {
      other.states = [];
      paused.child.kill('SIGSTOP');
      while (!other.states.includes('kept')) await wait(10);
      await wait(100);
      paused.child.kill('SIGCONT');
      while (!paused.states.includes('taken')) await wait(10);
      await wait(100);
    }
    await expectNothingLostOrDoubled(await sending.stop());
  }, 60_000);

  test('an owner that stood still answers nobody with what it knew before', async () => {
    const asker = new PartitionAsker(broker.questions);
    const first = startOwner('a', 'a');
    await first.kept();
    const second = startOwner('b', 'b');
    const state = (equity: number) => ({ ...JSON.parse(eventOf(1, 1)), equity: String(equity) });
    const asked = async () => (await asker.ask(0, 'reading', { accountId: 'account-0' }))?.account.collateral;
    expect(await asker.ask(0, 'put', { value: state(111) })).toBeNull();
    expect(await asked()).toBe(111);
    for (const round of [1, 2]) {
      const [paused, other] = [first, second];
      other.states = [];
      paused.child.kill('SIGSTOP');
      while (!other.states.includes('kept')) await wait(10);
      expect(await asker.ask(0, 'put', { value: state(1000 + round) })).toBeNull();
      // Only the one that stood still can answer these, and knows no better at first.
      other.child.kill('SIGSTOP');
      paused.states = [];
      const before = Array.from({ length: 50 }, () => asked().catch(() => null));
      paused.child.kill('SIGCONT');
      const found = await Promise.all(before);
      // It takes the partition over again, with what the other one wrote.
      while (!paused.states.includes('kept')) found.push(await asked().catch(() => null));
      other.child.kill('SIGCONT');
      found.push(await asked());
      expect(found.filter((equity) => equity !== null && equity !== 1000 + round)).toEqual([]);
      while (!other.states.includes('taken')) await wait(10);
      other.states = [];
    }
  }, 60_000);
});
