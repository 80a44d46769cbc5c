import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { governanceEvent } from '../../src/control/feed/feed-event.ts';
import type { Change, GovernanceStep, ServiceStore } from '../../src/control/ports.ts';
import { FIRST_DECISION, HOUR } from '../test-books.ts';
import type { MakePlace, StorePlace } from './store-place.fixture.ts';

export function freeze(number: number, hours = 2): Change {
  const requested = { by: 'ann', key: 'aaaa', at: FIRST_DECISION + number * 60_000, reason: 'a test' };
  return {
    ...{ number, id: `freeze-${number}`, kind: 'freeze', symbol: 'AURUSDT', maxLeverage: null },
    ...{ mayLoosen: false, requested, approved: null, approveBefore: null, closed: null },
    expiresAt: requested.at + hours * HOUR,
  };
}

function thawed(change: Change, at: number): Change {
  return { ...change, closed: { by: 'bob', key: 'bbbb', at, reason: 'over', how: 'thawed' } };
}

export function step(changes: readonly Change[], revision: number, key?: string): GovernanceStep {
  const { requested, closed, id } = changes[0];
  const { by: actor, at, reason } = closed ?? requested;
  const kind = closed === null ? 'freeze' : 'thaw';
  return {
    changes,
    revision,
    audit: { at, kind, actor, subject: id, reason, details: { changes } },
    idempotency: key === undefined ? null : { key, requestHash: `hash of ${key}` },
  };
}

/** What every state store holds about what people changed. */
export function governanceConforms(makePlace: MakePlace): void {
  describe('governance', () => {
    let place: StorePlace;
    let store: ServiceStore;

    beforeEach(async () => {
      place = await makePlace();
      store = await place.open();
    });

    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    const governance = () => store.governance;

    describe('what people changed', () => {
      test('comes back as it was, after a reopen too, by id, by page and by time', async () => {
        const [first, second] = [freeze(1), freeze(2, 5)];
        await governance().record(step([first], 0));
        await governance().record(step([second], 1));
        const over = thawed(first, FIRST_DECISION + HOUR);
        expect(await governance().record(step([over], 2))).toBe(3);
        await store.close();
        store = await place.open();
        expect(await governance().changes(99, 9)).toEqual([second, over]);
        expect(await governance().changes(2, 9)).toEqual([over]);
        expect(await governance().change('freeze-1')).toEqual(over);
        expect(await governance().change('freeze-9')).toBeNull();
        const at = async (minutes: number) =>
          (await governance().changesAt(FIRST_DECISION + minutes * 60_000)).map(({ id }) => id);
        expect(await Promise.all([0, 1, 2, 59, 60, 301, 302].map(at))).toEqual([
          [],
          ['freeze-1'],
          ['freeze-1', 'freeze-2'],
          ['freeze-1', 'freeze-2'],
          ['freeze-2'],
          ['freeze-2'],
          [],
        ]);
        expect(await governance().newestChange()).toEqual({ number: 2, at: FIRST_DECISION + HOUR });
        expect(await governance().revision()).toBe(3);
      });

      test('on old ground is refused, and leaves no entry in the chain', async () => {
        await governance().record(step([freeze(1)], 0));
        await expect(governance().record(step([freeze(2)], 0))).rejects.toMatchObject({ code: 'CONFLICT' });
        expect(await store.auditLength()).toBe(1);
        expect(await governance().change('freeze-2')).toBeNull();
      });

      test('is told to readers of the feed in the same transaction: what is refused is not told', async () => {
        const events = [governanceEvent([freeze(1)], 1, FIRST_DECISION)];
        await governance().record({ ...step([freeze(1)], 0), events });
        await expect(governance().record({ ...step([freeze(2)], 0), events })).rejects.toMatchObject({
          code: 'CONFLICT',
        });
        const told = await store.outbox.eventsAfter(0, 9);
        expect(told).toEqual([{ sequence: 1, kind: 'governance', body: events[0].body }]);
        expect(JSON.parse(events[0].body)).toMatchObject({ revision: 1, changes: [{ id: 'freeze-1' }] });
      });

      test('with a key is found again by that key and person', async () => {
        await governance().record(step([freeze(1)], 0, 'k'));
        await governance().record(step([thawed(freeze(1), FIRST_DECISION + HOUR)], 1));
        expect(await governance().recalled('ann', 'k')).toEqual({
          requestHash: 'hash of k',
          changes: [freeze(1)],
          revision: 1,
        });
        expect(await governance().recalled('bob', 'k')).toBeNull();
      });

      test.each([
        ['a longer life', 'UPDATE governance_change SET ends_at = ends_at + 1'],
        ['another name', "UPDATE governance_change SET id = 'freeze-7'"],
        ['another beginning', 'UPDATE governance_change SET requested_at = 0'],
        ['an altered entry', `UPDATE audit SET body = replace(body, 'a test', 'a jest')`],
      ])('with %s in the store is refused and not believed', async (_, sql) => {
        await governance().record(step([freeze(1)], 0));
        await place.tamper(sql);
        await expect(governance().changes(99, 9)).rejects.toMatchObject({ code: 'CHAIN_BROKEN' });
      });
    });
  });
}
