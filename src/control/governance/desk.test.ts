import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SqliteStateStore } from '../../../data/sqlite-state-store.ts';
import { ManualClock } from '../../clock.ts';
import type { PlimsollError } from '../../errors.ts';
import { decideBook } from '../../limits/decide.ts';
import { overrideOf } from '../../limits/governance.ts';
import { DEFAULT_POLICY } from '../../limits/policy.ts';
import { context, DECIDED_AT, HOUR, largeMarket } from '../../limits/test-inputs.ts';
import type { GovernanceStep } from '../ports.ts';
import { type Change, statusOf } from './change.ts';
import { GovernanceDesk } from './desk.ts';
import type { Actor, Command } from './rules.ts';

const ANN: Actor = { name: 'ann', role: 'operator', key: 'aaaa' };
const BOB: Actor = { name: 'bob', role: 'approver', key: 'bbbb' };
const CAROL: Actor = { name: 'carol', role: 'approver', key: 'cccc' };
const RITA: Actor = { name: 'rita', role: 'reader', key: 'dddd' };

const BOOK = decideBook(
  [largeMarket({ symbol: 'BTCUSDT' }), largeMarket({ symbol: 'ETHUSDT' })],
  null,
  context(),
);
const IN_FORCE = BOOK.markets[0].brackets[0].maxLeverage;
const RUNGS = DEFAULT_POLICY.leverageLadder.filter((rung) => rung <= DEFAULT_POLICY.maximumLeverage);
const BELOW = RUNGS.filter((rung) => rung < IN_FORCE)[1];
const ABOVE = RUNGS.findLast((rung) => rung > IN_FORCE) as number;

let folder: string;
let store: SqliteStateStore;
let clock: ManualClock;
let desk: GovernanceDesk;
let told: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-desk-'));
  store = SqliteStateStore.open(folder);
  clock = new ManualClock(DECIDED_AT + 1000);
  told = [];
  desk = await recover();
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

function recover(): Promise<GovernanceDesk> {
  return GovernanceDesk.recover({
    store,
    clock,
    policy: DEFAULT_POLICY,
    book: () => BOOK,
    observer: {
      acted: (actor, { act }) => told.push(`${actor.name} ${act}`),
      refused: (actor, { act }, { code }) => told.push(`${actor.name} ${act} ${code}`),
      failed: ({ code }) => told.push(code),
    },
  });
}

const override = (maxLeverage: number, changes: Partial<Command> = {}): Command =>
  ({ act: 'override', symbol: 'BTCUSDT', maxLeverage, hours: 2, reason: 'a test', ...changes }) as Command;
const approve = (id: string): Command => ({ act: 'approve', id, reason: 'looked at it' });
const freeze = (symbol: string | null): Command => ({ act: 'freeze', symbol, reason: 'a test' });
const thaw = (symbol: string | null): Command => ({ act: 'thaw', symbol, reason: 'over' });
const statuses = (): string[] => desk.open().map((change) => `${change.id} ${statusOf(change, desk.time())}`);

async function refusal(actor: Actor, command: Command): Promise<string> {
  const thrown = await desk.act(actor, command).catch((error: PlimsollError) => error);
  expect(thrown).toMatchObject({ code: expect.any(String), remedy: expect.stringMatching(/.{10}/) });
  return (thrown as PlimsollError).code;
}

describe('an override', () => {
  test('below what is in force holds at once and ends by itself', async () => {
    const { changes } = await desk.act(ANN, override(BELOW));
    expect(changes).toMatchObject([{ id: 'override-1', mayLoosen: false, approveBefore: null }]);
    expect(overrideOf(desk.state(), 'BTCUSDT', clock.now())?.maxLeverage).toBe(BELOW);
    clock.advance(2 * HOUR);
    expect(desk.state().overrides).toEqual([]);
    expect(desk.open()).toEqual([]);
  });

  test('above it waits for another person with the role approver, and holds from then on', async () => {
    await desk.act(BOB, override(ABOVE));
    expect(statuses()).toEqual(['override-1 pending']);
    expect(overrideOf(desk.state(), 'BTCUSDT', clock.now())).toBeNull();
    expect(await refusal(ANN, approve('override-1'))).toBe('SECOND_PERSON_NEEDED');
    expect(await refusal(BOB, approve('override-1'))).toBe('SECOND_PERSON_NEEDED');
    // The same person with another name on the same key.
    expect(await refusal({ ...BOB, name: 'robert' }, approve('override-1'))).toBe('SECOND_PERSON_NEEDED');
    await desk.act(CAROL, approve('override-1'));
    expect(overrideOf(desk.state(), 'BTCUSDT', clock.now())).toMatchObject({
      maxLeverage: ABOVE,
      requestedBy: 'bob',
      approvedBy: 'carol',
    });
    expect(await refusal(CAROL, approve('override-1'))).toBe('CONFLICT');
  });

  test('that is to take the place of the bounds waits also below what is in force', async () => {
    await desk.act(ANN, override(BELOW, { mayLoosen: true }));
    expect(statuses()).toEqual(['override-1 pending']);
  });

  test('that nobody approved in time, and one that is over, cannot be approved', async () => {
    await desk.act(ANN, override(ABOVE, { hours: 100 }));
    await desk.act(ANN, override(ABOVE, { hours: 1 }));
    clock.advance(HOUR);
    expect(await refusal(BOB, approve('override-2'))).toBe('CHANGE_EXPIRED');
    clock.advance((DEFAULT_POLICY.governance.approvalHours - 1) * HOUR);
    expect(await refusal(BOB, approve('override-1'))).toBe('CHANGE_EXPIRED');
    expect(desk.state().overrides).toEqual([]);
  });

  test('is rejected or withdrawn for good', async () => {
    await desk.act(ANN, override(ABOVE));
    await desk.act(ANN, override(BELOW));
    await desk.act(BOB, { act: 'reject', id: 'override-1', reason: 'no' });
    expect(await refusal(BOB, { act: 'reject', id: 'override-2', reason: 'no' })).toBe('CONFLICT');
    await desk.act(ANN, { act: 'withdraw', id: 'override-2', reason: 'not needed' });
    expect(statuses()).toEqual([]);
    for (const id of ['override-1', 'override-2']) expect(await refusal(BOB, approve(id))).toBe('CONFLICT');
    expect(await refusal(BOB, approve('override-9'))).toBe('CHANGE_UNKNOWN');
  });

  test.each<[string, Command, string]>([
    ['of an unknown market', override(BELOW, { symbol: 'NOPEUSDT' }), 'MARKET_UNKNOWN'],
    ['off the ladder', override(7), 'LEVERAGE_INVALID'],
    ['above the ceiling', override(125), 'LEVERAGE_INVALID'],
    ['of no leverage', override(Number.NaN), 'LEVERAGE_INVALID'],
    ['without an end', override(BELOW, { hours: undefined }), 'EXPIRY_INVALID'],
    ['that is over', override(BELOW, { hours: undefined, expiresAt: DECIDED_AT }), 'EXPIRY_INVALID'],
    ['of negative length', override(BELOW, { hours: -1 }), 'EXPIRY_INVALID'],
    ['of no length', override(BELOW, { hours: Number.NaN }), 'EXPIRY_INVALID'],
    ['beyond the policy', override(BELOW, { hours: 721 }), 'EXPIRY_INVALID'],
    ['with two ends', override(BELOW, { expiresAt: DECIDED_AT + HOUR }), 'EXPIRY_INVALID'],
    ['without a reason', override(BELOW, { reason: ' .. ' }), 'INPUT_INVALID'],
    ['with a reason of more than a line', override(BELOW, { reason: 'a\nb' }), 'INPUT_INVALID'],
  ])('%s is refused, told and audited, and leaves nothing', async (_, command, code) => {
    expect(await refusal(ANN, command)).toBe(code);
    expect(desk.open()).toEqual([]);
    expect(told).toEqual([`ann override ${code}`]);
    expect(await store.auditAfter(0, 9)).toMatchObject([{ kind: 'refusal', actor: 'ann', reason: code }]);
  });
});

describe('a freeze', () => {
  test('takes the place of one of the same scope, ends without a word at the latest that the policy allows', async () => {
    await desk.act(ANN, freeze('BTCUSDT'));
    const { changes } = await desk.act(BOB, freeze('BTCUSDT'));
    expect(changes.map(({ id, closed }) => [id, closed?.how])).toEqual([
      ['freeze-2', undefined],
      ['freeze-1', 'replaced'],
    ]);
    await desk.act(ANN, freeze(null));
    expect(statuses()).toEqual(['freeze-2 inForce', 'freeze-3 inForce']);
    clock.advance(DEFAULT_POLICY.governance.maximumFreezeHours * HOUR);
    expect(desk.state().freezes).toEqual([]);
  });

  test('of all is not thawed with one market, nor the other way round', async () => {
    await desk.act(ANN, freeze(null));
    expect(await refusal(ANN, thaw('BTCUSDT'))).toBe('CONFLICT');
    await desk.act(ANN, thaw(null));
    expect(await refusal(ANN, thaw(null))).toBe('NOT_FOUND');
    expect(await refusal(ANN, freeze('NOPEUSDT'))).toBe('MARKET_UNKNOWN');
  });
});

test('an emergency is declared again, and ended once', async () => {
  const declare: Command = { act: 'declareEmergency', hours: 4, reason: 'cascade' };
  await desk.act(ANN, declare);
  await desk.act(ANN, declare);
  expect(statuses()).toEqual(['emergency-2 inForce']);
  expect(desk.state().emergency).toMatchObject({ declaredBy: 'ann', expiresAt: clock.now() + 4 * HOUR });
  await desk.act(ANN, { act: 'endEmergency', reason: 'over' });
  expect(desk.state().emergency).toBeNull();
  expect(await refusal(ANN, { act: 'endEmergency', reason: 'over' })).toBe('NOT_FOUND');
  expect(await refusal(ANN, { ...declare, hours: 25 } as Command)).toBe('EXPIRY_INVALID');
});

describe('a clock that jumps back', () => {
  test('brings nothing into force again, and only what holds or tightens is taken', async () => {
    await desk.act(ANN, override(ABOVE));
    await desk.act(ANN, freeze('ETHUSDT'));
    await desk.act(ANN, override(BELOW, { hours: 1 }));
    clock.advance(90 * 60_000);
    await desk.act(ANN, { act: 'withdraw', id: 'override-1', reason: 'no' });
    clock.advance(-80 * 60_000);
    for (const current of [desk, await recover()]) {
      expect(current.state().overrides).toEqual([]);
      expect(current.time()).toBe(DECIDED_AT + 1000 + 90 * 60_000);
    }
    for (const command of [override(ABOVE), thaw('ETHUSDT')])
      expect(await refusal(ANN, command)).toBe('CLOCK_WENT_BACK');
    await desk.act(ANN, override(BELOW));
    await desk.act(ANN, freeze(null));
    expect(statuses()).toEqual(['freeze-2 inForce', 'override-4 inForce', 'freeze-5 inForce']);
  });

  test('by a moment is nobody’s fault', async () => {
    await desk.act(ANN, freeze('ETHUSDT'));
    clock.advance(-900);
    const { changes } = await desk.act(ANN, thaw('ETHUSDT'));
    expect(changes[0].closed?.at).toBeGreaterThanOrEqual(changes[0].requested.at);
  });
});

describe('whoever asks', () => {
  test('may not with the key of a reader', async () => {
    for (const command of [override(BELOW), freeze(null), thaw(null)])
      expect(await refusal(RITA, command)).toBe('FORBIDDEN');
    expect(await refusal(RITA, approve('override-1'))).toBe('SECOND_PERSON_NEEDED');
  });

  test('cannot fill the chain with refusals; they are told all the same', async () => {
    for (let i = 0; i < 70; i++) await refusal(RITA, freeze(null));
    expect(await store.auditLength()).toBe(60);
    expect(told).toHaveLength(70);
    await refusal(ANN, thaw(null));
    clock.advance(HOUR);
    await refusal(RITA, freeze(null));
    expect(await store.auditLength()).toBe(62);
  });

  test('twice with one idempotency key gets the first answer, also after a restart; another request is refused', async () => {
    const first = await desk.act(ANN, freeze(null), { idempotencyKey: 'k1' });
    await desk.act(ANN, thaw(null));
    for (const current of [desk, await recover()]) {
      const again = await current.act(ANN, freeze(null), { idempotencyKey: 'k1' });
      expect(again).toEqual({ ...first, isRepeat: true });
    }
    expect(desk.state().freezes).toEqual([]);
    await expect(desk.act(ANN, freeze('BTCUSDT'), { idempotencyKey: 'k1' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    // Another person's key of the same name is another one.
    expect((await desk.act(BOB, freeze(null), { idempotencyKey: 'k1' })).isRepeat).toBe(false);
  });

  test('on the ground of an old revision is refused', async () => {
    await desk.act(ANN, freeze(null), { revisions: [0] });
    await expect(desk.act(BOB, thaw(null), { revisions: [0] })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    await desk.act(BOB, thaw(null), { revisions: [7, 1] });
    expect(desk.revision()).toBe(2);
  });

  test('at the same moment as others is served one after the other', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => desk.act(ANN, freeze(null))));
    expect(all.map(({ revision }) => revision)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(statuses()).toEqual(['freeze-20 inForce']);
  });
});

describe('a step of another process', () => {
  test('is not overwritten: what comes after it is judged by the rules as if one desk had made both', async () => {
    const other = await recover();
    await other.act(ANN, freeze('ETHUSDT'));
    await desk.act(BOB, freeze('BTCUSDT'));
    expect(statuses()).toEqual(['freeze-1 inForce', 'freeze-2 inForce']);
    await desk.act(ANN, thaw('ETHUSDT'));
    await expect(other.act(BOB, thaw('ETHUSDT'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await store.governance.revision()).toBe(3);
  });

  test('is told to whoever named the ground before it', async () => {
    const other = await recover();
    await other.act(ANN, freeze('ETHUSDT'));
    await expect(desk.act(BOB, freeze('BTCUSDT'), { revisions: [0] })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    expect(statuses()).toEqual(['freeze-1 inForce']);
  });

  test('that comes before each attempt is too much for one command', async () => {
    const other = await recover();
    const { governance } = store;
    const meddled = new Proxy(governance, {
      get: (_, name: keyof typeof governance) =>
        name !== 'record'
          ? governance[name].bind(governance)
          : async (step: GovernanceStep) => {
              await other.act(ANN, freeze('ETHUSDT'));
              return governance.record(step);
            },
    });
    const options = { clock, policy: DEFAULT_POLICY, book: () => BOOK };
    const slow = await GovernanceDesk.recover({
      ...options,
      store: { governance: meddled, appendAudit: (draft) => store.appendAudit(draft) },
    });
    await expect(slow.act(BOB, freeze('BTCUSDT'))).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await store.governance.revision()).toBe(5);
  });
});

describe('whatever people, policies and clocks do', () => {
  const actor = fc.constantFrom(ANN, BOB, BOB, CAROL, CAROL, RITA, { ...BOB, name: 'robert' });
  const symbol = fc.constantFrom('BTCUSDT', 'BTCUSDT', 'ETHUSDT', 'ETHUSDT', 'NOPEUSDT');
  const hours = fc.constantFrom(undefined, -1, 0.5, 1, 3, 3, 30, 30, 300, 1000, Number.NaN);
  const reason = fc.constantFrom('a reason', 'a reason', 'a reason', 'a reason', 'a reason', '');
  const id = fc.constantFrom('first', 'last', 'last', 'override-1', 'override-5');
  const scope = fc.option(symbol);
  const command: fc.Arbitrary<Command> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        act: fc.constant('override' as const),
        symbol,
        maxLeverage: fc.constantFrom(...RUNGS, 7, 125, Number.NaN),
        mayLoosen: fc.constantFrom(undefined, true, true, false),
        hours,
        reason,
      }),
    },
    { weight: 6, arbitrary: fc.record({ act: fc.constant('approve' as const), id, reason }) },
    fc.record({ act: fc.constantFrom('reject' as const, 'withdraw' as const), id, reason }),
    fc.record({ act: fc.constant('freeze' as const), symbol: scope, hours, reason }),
    fc.record({ act: fc.constant('thaw' as const), symbol: scope, reason }),
    fc.record({ act: fc.constant('declareEmergency' as const), hours, reason }),
    fc.record({ act: fc.constant('endEmergency' as const), reason }),
  );
  let loosened = 0;
  // Forwards in the mean, or the clock would be behind for ever.
  const minutes = fc.constantFrom(0, 0, 0, 0, 1, 1, 10, 60, 200, 600, -30, -300);
  const steps = fc.array(fc.tuple(actor, command, minutes, fc.boolean()), {
    minLength: 5,
    maxLength: 40,
    size: 'max',
  });

  test('nothing loosens by one person, everything ends, every step is in the chain, a restart knows the same', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const own = mkdtempSync(join(folder, 'p-'));
        const state = SqliteStateStore.open(own);
        const time = new ManualClock(DECIDED_AT);
        const open = () =>
          GovernanceDesk.recover({ store: state, clock: time, policy: DEFAULT_POLICY, book: () => BOOK });
        let current = await open();
        let [made, latest] = [0, 0];
        for (const [who, what, passed, isRestarted] of taken) {
          time.advance(passed * 60_000);
          if (isRestarted) {
            const before = current.open();
            current = await open();
            expect(current.open()).toEqual(before);
          }
          const acted = await current.act(who, named(what, current)).catch(() => null);
          expect(current.time()).toBeGreaterThanOrEqual(latest);
          if (acted !== null) {
            made++;
            latest = current.time();
          }
          requireSound(current);
        }
        const entries = await state.auditAfter(0, 1000);
        expect(entries.filter(({ kind }) => kind !== 'refusal')).toHaveLength(made);
        expect(entries.filter(({ kind }) => kind === 'refusal')).toHaveLength(taken.length - made);
        expect(current.revision()).toBe(made);
        expect((await state.verify()).firstBadAuditEntry).toBeNull();
        await state.close();
      }),
      { seed: 5, numRuns: 100 },
    );
    // The search must reach what it is about.
    expect(loosened).toBeGreaterThan(20);
  }, 120_000);

  /** The oldest or the newest override that is open, where a command means it. */
  function named(what: Command, current: GovernanceDesk): Command {
    if (!('id' in what) || what.id.startsWith('override')) return what;
    const overrides = current.open().filter(({ kind }) => kind === 'override');
    return { ...what, id: overrides.at(what.id === 'first' ? 0 : -1)?.id ?? 'override-99' };
  }

  function requireSound(current: GovernanceDesk): void {
    const at = current.time();
    const { maximumOverrideHours, maximumFreezeHours, maximumEmergencyHours } = DEFAULT_POLICY.governance;
    const longest = {
      override: maximumOverrideHours,
      freeze: maximumFreezeHours,
      emergency: maximumEmergencyHours,
    };
    for (const change of current.open()) {
      expect(change.expiresAt - change.requested.at).toBeLessThanOrEqual(longest[change.kind] * HOUR);
      expect(change.expiresAt).toBeGreaterThan(at);
    }
    for (const symbolOf of ['BTCUSDT', 'ETHUSDT']) {
      const granted = overrideOf(current.state(), symbolOf, at);
      if (granted === null) continue;
      expect(RUNGS).toContain(granted.maxLeverage);
      const change = current.open().find((one) => one.id === granted.id) as Change;
      if (!granted.mayLoosen) continue;
      loosened++;
      expect(change.approved?.by).not.toBe(change.requested.by);
      expect(change.approved?.key).not.toBe(change.requested.key);
      expect(['bob', 'carol', 'robert']).toContain(change.approved?.by);
    }
  }
});
