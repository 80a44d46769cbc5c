import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { userEvent } from '../../src/control/feed/feed-event.ts';
import type { AuditDraft, FeedDraft, ServiceStore } from '../../src/control/ports.ts';
import { decisionDraft, FIRST_DECISION, nextBook } from '../test-books.ts';
import type { MakePlace, StorePlace } from './store-place.fixture.ts';

const audit = (subject: string): AuditDraft => ({
  at: 1,
  kind: 'user-policy',
  actor: 'test',
  subject,
  reason: 'test',
  details: {},
});

const ADA = {
  ...{ userId: 'ada', updatedAt: 2, maxLeverage: null, accountCreatedAt: null },
  ...{ ownInitialMarginRatePpm: null, notionalCoefMicros: null, experienceClass: null },
  ...{ overrideMaxLeverage: null, overrideExpiresAt: null, overrideReason: null },
};

/** What every state store holds about users, training runs, watches, events and answers. */
export function recordsConform(makePlace: MakePlace): void {
  describe('records', () => {
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

    describe('users and training runs', () => {
      test('a user policy is replaced as a whole and listed by id', async () => {
        const zoe = {
          ...{ userId: 'zoe', updatedAt: 1 },
          maxLeverage: 12.5,
          accountCreatedAt: FIRST_DECISION,
          ownInitialMarginRatePpm: 100_000,
          notionalCoefMicros: 1_500_000,
          experienceClass: 'regular',
          overrideMaxLeverage: 2.5,
          overrideExpiresAt: FIRST_DECISION,
          overrideReason: 'a test',
        };
        await store.putUser(zoe, audit('zoe'));
        await store.putUser(ADA, audit('ada'));
        const later = { ...zoe, maxLeverage: null, updatedAt: 3 };
        await store.putUser(later, audit('zoe'), [userEvent(later)]);
        const [told] = await store.outbox.eventsAfter(0, 9);
        expect([told.kind, JSON.parse(told.body).userId]).toEqual(['user', 'zoe']);
        expect(await store.user('zoe')).toEqual({ ...zoe, maxLeverage: null, updatedAt: 3 });
        expect(await store.user('nobody')).toBeNull();
        expect((await store.users()).map((user) => user.userId)).toEqual(['ada', 'zoe']);
        expect((await store.users())[0]).toEqual(ADA);
        expect((await store.auditAfter(0, 10)).map(({ subject }) => subject)).toEqual(['zoe', 'ada', 'zoe']);
        expect(await store.auditLength()).toBe(3);
      });

      test('a user policy whose audit entry cannot be written is not stored either', async () => {
        const ada = { ...ADA, maxLeverage: 3, updatedAt: 1 };
        const unwritable = { ...audit('ada'), details: { amount: 1n as unknown as number } };
        await expect(store.putUser(ada, unwritable)).rejects.toThrow();
        expect(await store.user('ada')).toBeNull();
        expect(await store.auditLength()).toBe(0);
      });

      test('a training run is recorded when it starts and again when it ends, newest first', async () => {
        const run = {
          id: 'r1',
          startedAt: 1,
          finishedAt: null,
          result: 'running',
          modelVersion: null,
          trigger: 'schedule',
          message: '',
        } as const;
        await store.recordTrainingRun(run);
        await store.recordTrainingRun({ ...run, id: 'r2', startedAt: 5 });
        const ended = {
          ...run,
          finishedAt: 9,
          result: 'succeeded',
          modelVersion: 'm1',
          message: 'gates passed',
        } as const;
        await store.recordTrainingRun(ended);
        expect(await store.trainingRuns(10)).toEqual([{ ...run, id: 'r2', startedAt: 5 }, ended]);
        expect(await store.trainingRuns(1)).toHaveLength(1);
      });
    });

    test('what a watch keeps is replaced, removed and found by the beginning of its name, all at once', async () => {
      await store.putWatchEntries([
        { name: 'shadow/a', body: '1' },
        { name: 'shadow_b', body: '2' },
        { name: 'shadow/c', body: '3' },
      ]);
      await store.putWatchEntries([
        { name: 'shadow/a', body: '4' },
        { name: 'shadow/c', body: null },
      ]);
      expect(await store.watchEntries('shadow/')).toEqual([{ name: 'shadow/a', body: '4' }]);
      expect(await store.watchEntries('')).toHaveLength(2);
    });

    const event = (number: number, intervention: number | null = null): FeedDraft => ({
      kind: intervention === null ? 'limits' : 'intervention',
      at: number,
      intervention,
      body: `{"number":${number}}`,
    });

    describe('events to push', () => {
      test('are numbered without gaps in the order in which they were put, and read from any number on', async () => {
        expect([await store.outbox.lastEvent(), await store.outbox.oldestEvent()]).toEqual([0, null]);
        await store.outbox.appendEvents([event(1), event(2)]);
        const other = await place.open();
        await other.outbox.appendEvents([event(3)]);
        await other.close();
        expect(await store.outbox.eventsAfter(1, 10)).toEqual([
          { sequence: 2, kind: 'limits', body: '{"number":2}' },
          { sequence: 3, kind: 'limits', body: '{"number":3}' },
        ]);
        expect(await store.outbox.eventsAfter(0, 1)).toHaveLength(1);
        expect([await store.outbox.lastEvent(), await store.outbox.oldestEvent()]).toEqual([3, 1]);
      });

      test('come with a book or not at all', async () => {
        const book = nextBook(null, { AURUSDT: 50 });
        await store.publish(book, decisionDraft(book), undefined, [event(1)]);
        await expect(store.publish(book, decisionDraft(book), undefined, [event(2)])).rejects.toMatchObject({
          code: 'CONFLICT',
        });
        expect(await store.outbox.eventsAfter(0, 10)).toEqual([
          { sequence: 1, kind: 'limits', body: '{"number":1}' },
        ]);
      });

      test('of an intervention are put once, and the last one is known', async () => {
        expect(await store.outbox.lastIntervention()).toBe(0);
        await store.outbox.appendEvents([event(1, 7), event(2, 9)]);
        expect(await store.outbox.lastIntervention()).toBe(9);
        await expect(store.outbox.appendEvents([event(3), event(4, 9)])).rejects.toThrow();
        expect(await store.outbox.lastEvent()).toBe(2);
      });

      test('keep how far a reader has come, and what it could not be given', async () => {
        expect(await store.outbox.cursor('hook')).toBeNull();
        await store.outbox.setCursor('hook', 4);
        await store.outbox.setCursor('hook', 6);
        expect(await store.outbox.cursor('hook')).toBe(6);
        const lost = { reader: 'hook', sequence: 5, reason: 'answered 500', at: 1 };
        await store.outbox.bury(lost);
        await store.outbox.bury({ ...lost, sequence: 6, at: 2 });
        expect(await store.outbox.buried(1)).toEqual([{ ...lost, sequence: 6, at: 2 }]);
        expect(await store.outbox.buried(9)).toHaveLength(2);
      });
    });

    describe('answers to writes', () => {
      const answer = { actor: 'ann', key: 'k1', requestHash: 'h', at: 10, status: 200, body: '{"a":1}' };

      test('are found by actor and key until they are too old, and replaced by a later one', async () => {
        await store.answers.keep(answer, 0);
        expect(await store.answers.recall('ann', 'k1', 10)).toEqual(answer);
        expect(await store.answers.recall('ann', 'k1', 11)).toBeNull();
        expect(await store.answers.recall('bob', 'k1', 0)).toBeNull();
        await store.answers.keep({ ...answer, at: 20, status: 201 }, 0);
        expect(await store.answers.recall('ann', 'k1', 0)).toEqual({ ...answer, at: 20, status: 201 });
      });

      test('that are over are forgotten with the next one', async () => {
        await store.answers.keep(answer, 0);
        await store.answers.keep({ ...answer, key: 'k2', at: 30 }, 20);
        expect(await store.answers.recall('ann', 'k1', 0)).toBeNull();
        expect(await store.answers.recall('ann', 'k2', 0)).not.toBeNull();
      });
    });
  });
}
