import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServiceStore } from '../../src/control/ports.ts';
import { GENESIS_HASH } from '../../src/limits/chain.ts';
import type { LimitBook } from '../../src/limits/types.ts';
import { decisionDraft, FIRST_DECISION, HOUR, nextBook } from '../test-books.ts';
import type { MakePlace, StorePlace } from './store-place.fixture.ts';

/** What every state store holds about books and both chains. */
export function booksConform(makePlace: MakePlace): void {
  describe('books and chains', () => {
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

    async function publish(
      previous: LimitBook | null,
      leverages: Record<string, number>,
    ): Promise<LimitBook> {
      const book = nextBook(previous, leverages);
      await store.publish(book, decisionDraft(book));
      return book;
    }

    async function publishMany(count: number): Promise<LimitBook> {
      let book = await publish(null, { AURUSDT: 50 });
      for (let version = 2; version <= count; version++)
        book = await publish(book, { AURUSDT: 50 - (version % 7) });
      return book;
    }

    describe('books', () => {
      test('an empty store has no book, no history and a chain that holds', async () => {
        expect(await store.latestBook()).toBeNull();
        expect(await store.bookAsOf(FIRST_DECISION)).toBeNull();
        expect(await store.history('AURUSDT', 10)).toEqual([]);
        expect(await store.verify()).toEqual({
          ...{ books: 0, replayable: 0, auditEntries: 0, checkpoints: 0 },
          ...{ firstBadBook: null, firstBadAuditEntry: null, firstBadCheckpoint: null, firstBadRecord: null },
        });
      });

      test('a book comes back as it was published, also after a reopen', async () => {
        const first = await publish(null, { AURUSDT: 50, BOREUSDT: 20 });
        const second = await publish(first, { AURUSDT: 40, BOREUSDT: 20 });
        await store.close();
        store = await place.open();
        expect(await store.latestBook()).toEqual(second);
        expect(await store.bookByVersion(1)).toEqual(first);
        expect(await store.bookByVersion(3)).toBeNull();
        const third = await publish(second, { AURUSDT: 40, BOREUSDT: 25 });
        expect(await store.latestBook()).toEqual(third);
        expect((await store.history('AURUSDT', 10)).map((entry) => entry.version)).toEqual([2, 1]);
      });

      test('the book as of a time is the newest one in effect, not the newest effective time', async () => {
        const first = await publish(null, { AURUSDT: 50 });
        expect(await store.bookAsOf(first.effectiveAt - 1)).toBeNull();
        expect(await store.bookAsOf(first.effectiveAt)).toEqual(first);
        const second = await publish(first, { AURUSDT: 40 });
        expect((await store.bookAsOf(second.effectiveAt - 1))?.version).toBe(1);
        expect((await store.bookAsOf(second.effectiveAt + 100 * HOUR))?.version).toBe(2);
      });

      test('only the successor of the newest book is taken; a refused one leaves no trace', async () => {
        const first = await publish(null, { AURUSDT: 50 });
        const second = nextBook(first, { AURUSDT: 40 });
        const skipped = nextBook(second, { AURUSDT: 30 });
        await expect(store.publish(skipped, decisionDraft(skipped))).rejects.toMatchObject({
          code: 'CONFLICT',
        });
        await expect(store.publish(first, decisionDraft(first))).rejects.toMatchObject({ code: 'CONFLICT' });
        const otherLine = nextBook(nextBook(null, { AURUSDT: 7 }), { AURUSDT: 6 });
        await expect(store.publish(otherLine, decisionDraft(otherLine))).rejects.toMatchObject({
          code: 'CONFLICT',
        });
        expect(await store.verify()).toMatchObject({ books: 1, auditEntries: 1 });
        await store.publish(second, decisionDraft(second));
        expect(await store.latestBook()).toEqual(second);
      });

      test('of two processes that decide the same version, one is told so', async () => {
        const other = await place.open();
        const mine = nextBook(null, { AURUSDT: 50 });
        const theirs = nextBook(null, { AURUSDT: 10 });
        await store.publish(mine, decisionDraft(mine));
        await expect(other.publish(theirs, decisionDraft(theirs))).rejects.toMatchObject({
          code: 'CONFLICT',
        });
        const next = nextBook(mine, { AURUSDT: 45 });
        await other.publish(next, decisionDraft(next));
        // The first process did not see version 2 being written; its history must compare with 2, not with 1.
        const after = nextBook(next, { AURUSDT: 45 });
        await store.publish(after, decisionDraft(after));
        expect((await store.history('AURUSDT', 10)).map((entry) => entry.version)).toEqual([2, 1]);
        await other.close();
      });

      test('a book whose hash is not its own is refused', async () => {
        const book = { ...nextBook(null, { AURUSDT: 50 }), degraded: true };
        await expect(store.publish(book, decisionDraft(book))).rejects.toMatchObject({
          code: 'CHAIN_BROKEN',
        });
        expect(await store.latestBook()).toBeNull();
      });

      test('history has exactly the versions in which the schedule of a market changed, newest first', async () => {
        const first = await publish(null, { AURUSDT: 50, BOREUSDT: 20 });
        const second = await publish(first, { AURUSDT: 50, BOREUSDT: 15 });
        const third = await publish(second, { AURUSDT: 40, BOREUSDT: 15 });
        const without = await publish(third, { BOREUSDT: 15 });
        await publish(without, { AURUSDT: 40, BOREUSDT: 15 });
        expect(await store.history('BOREUSDT', 10)).toMatchObject([
          { version: 2, maxLeverage: 15, hash: second.hash, decidedAt: second.decidedAt },
          { version: 1, maxLeverage: 20, hash: first.hash, effectiveAt: first.effectiveAt },
        ]);
        // A market that was away comes back as a change, even with the brackets that it had.
        expect((await store.history('AURUSDT', 2)).map((entry) => entry.version)).toEqual([5, 3]);
        expect(await store.history('NONEUSDT', 10)).toEqual([]);
        expect((await store.verify()).firstBadBook).toBeNull();
      });
    });

    describe('audit chain', () => {
      test('entries link to each other across publications and reopens', async () => {
        await store.appendAudit({
          ...decisionDraft(nextBook(null, {})),
          kind: 'start',
          details: { z: 1, a: [null] },
        });
        await publish(null, { AURUSDT: 50 });
        await store.close();
        store = await place.open();
        const last = await store.appendAudit({
          at: FIRST_DECISION,
          kind: 'promotion',
          actor: 'operator',
          subject: 'model m1',
          reason: 'better',
          details: {},
        });
        const entries = await store.auditAfter(0, 100);
        expect(entries.map((entry) => [entry.sequence, entry.kind])).toEqual([
          [1, 'start'],
          [2, 'decision'],
          [3, 'promotion'],
        ]);
        expect(entries[0].previousHash).toBe(GENESIS_HASH);
        expect(entries[1].previousHash).toBe(entries[0].hash);
        expect(entries[2]).toEqual(last);
        expect(entries[0].details).toEqual({ z: 1, a: [null] });
        expect(await store.auditAfter(1, 1)).toEqual([entries[1]]);
        expect(await store.auditEntry(3)).toEqual(last);
        expect(await store.auditEntry(4)).toBeNull();
      });

      test('an entry that has no canonical form is refused and the chain goes on', async () => {
        const draft = decisionDraft(nextBook(null, { AURUSDT: 50 }));
        await expect(store.appendAudit({ ...draft, details: { rate: Number.NaN } })).rejects.toThrow(
          'canonical',
        );
        expect((await store.appendAudit(draft)).sequence).toBe(1);
      });
    });

    describe('verify names the first thing that was changed', () => {
      test.each([
        [
          'a byte of a body',
          `UPDATE book SET body = replace(body, '"degraded":false', '"degraded":true') WHERE version = 4`,
          4,
        ],
        ['white space in a body', `UPDATE book SET body = body || ' ' WHERE version = 5`, 5],
        ['a hash', `UPDATE book SET hash = '${'0'.repeat(64)}' WHERE version = 3`, 3],
        ['a column beside the body', 'UPDATE book SET effective_at = effective_at - 1 WHERE version = 6', 6],
        ['a removed book', 'DELETE FROM book WHERE version = 2', 2],
        ['the first book', 'DELETE FROM book WHERE version = 1', 1],
        ['the history of a market', `UPDATE schedule_change SET max_leverage = 125 WHERE version = 7`, 7],
        ['a removed history row', 'DELETE FROM schedule_change WHERE version = 8', 8],
        [
          'an invented history row',
          `INSERT INTO schedule_change (symbol, version, max_leverage, binding_bound, move, reasons)
       VALUES ('BOREUSDT', 3, 125, 'historical', 'hold', '[]')`,
          3,
        ],
        ['two books', `UPDATE book SET body = body || ' ' WHERE version IN (5, 9)`, 5],
        ['a removed audit entry', 'DELETE FROM audit WHERE sequence = 3', 3],
      ])('%s', async (_, sql, version) => {
        await publishMany(9);
        expect((await store.verify()).firstBadBook).toBeNull();
        await place.tamper(sql);
        expect((await store.verify()).firstBadBook).toMatchObject({ version });
      });

      test.each([
        [
          'a byte of an entry',
          `UPDATE audit SET body = replace(body, 'cycle', 'Cycle') WHERE sequence = 5`,
          5,
        ],
        ['a removed entry', 'DELETE FROM audit WHERE sequence = 2', 2],
        [
          'an inserted entry',
          `INSERT INTO audit (sequence, previous_hash, hash, body) VALUES (11, '${'1'.repeat(64)}', '${'2'.repeat(64)}', '{}')`,
          10,
        ],
        [
          'two entries swapped',
          'UPDATE audit SET sequence = 99 WHERE sequence = 4; UPDATE audit SET sequence = 4 WHERE sequence = 5; UPDATE audit SET sequence = 5 WHERE sequence = 99',
          4,
        ],
      ])('%s of the audit chain', async (_, sql, sequence) => {
        await publishMany(9);
        await place.tamper(sql);
        expect((await store.verify()).firstBadAuditEntry).toMatchObject({ sequence });
      });

      test('whichever single character of a stored book is changed, it is found and the book is not handed out', async () => {
        await publishMany(3);
        const [{ body }] = await place.read('SELECT body FROM book WHERE version = 2');
        const stored = String(body);
        const write = (text: string) => place.tamper('UPDATE book SET body = ? WHERE version = 2', text);
        await fc.assert(
          fc.asyncProperty(fc.nat(stored.length - 1), async (position) => {
            const character = String.fromCharCode(stored.charCodeAt(position) + 1);
            await write(stored.slice(0, position) + character + stored.slice(position + 1));
            const found = (await store.verify()).firstBadBook;
            await expect(store.bookByVersion(2)).rejects.toMatchObject({ code: 'CHAIN_BROKEN' });
            await write(stored);
            expect(found?.version).toBe(2);
          }),
          { seed: 1, numRuns: 40 },
        );
        expect((await store.verify()).firstBadBook).toBeNull();
      });

      test('a chain longer than a page of the walk', async () => {
        await publishMany(200);
        expect(await store.verify()).toMatchObject({
          books: 200,
          firstBadBook: null,
          firstBadAuditEntry: null,
        });
        await place.tamper(`UPDATE book SET body = body || ' ' WHERE version = 193`);
        expect((await store.verify()).firstBadBook).toMatchObject({ version: 193 });
      });
    });
  });
}
