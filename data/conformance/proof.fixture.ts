import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { GovernanceDesk } from '../../src/control/governance/desk.ts';
import type { ChainVerification, ServiceStore, UserPolicy } from '../../src/control/ports.ts';
import { verificationFaults } from '../../src/control/ports.ts';
import { replay } from '../../src/control/replay.ts';
import { partHashes } from '../../src/limits/decision-inputs.ts';
import type { MarketInput } from '../../src/limits/market-input.ts';
import { DEFAULT_POLICY } from '../../src/limits/policy.ts';
import { forecast, largeMarket } from '../../src/limits/test-inputs.ts';
import type { LimitBook } from '../../src/limits/types.ts';
import { ensureCheckpointKey, readPublicKeys } from '../checkpoint-key.ts';
import { decidedBook, decisionDraft, FIRST_DECISION, HOUR } from '../test-books.ts';
import type { MakePlace, StorePlace } from './store-place.fixture.ts';

/** What proves the chains: stored inputs, checkpoints, and the tables that must be as they were audited. */
export function proofConforms(makePlace: MakePlace): void {
  describe('proof', () => {
    /** Of the checkpoint key. */
    let folder: string;
    let place: StorePlace;
    let store: ServiceStore;

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'plimsoll-proof-'));
      place = await makePlace();
      store = await open();
    });

    afterEach(async () => {
      await store.close();
      await place.remove();
      rmSync(folder, { recursive: true });
    });

    async function open(inputsKeptDays = 0): Promise<ServiceStore> {
      return place.open({ signer: await ensureCheckpointKey(folder), inputsKeptDays });
    }

    async function verified(): Promise<ChainVerification> {
      return store.verify(await readPublicKeys(folder));
    }

    const marketsAt = (hour: number): MarketInput[] => [
      largeMarket({ shockModel: forecast('network@1', 0.02 + 1e-4 * hour) }),
      largeMarket({ symbol: 'ETHUSDT' }),
    ];

    async function publishMany(count: number, every = HOUR): Promise<LimitBook> {
      let book = await store.latestBook();
      for (let i = 0; i < count; i++) {
        const decidedAt = (book?.decidedAt ?? FIRST_DECISION - every) + every;
        const next = decidedBook(book, marketsAt(i), { decidedAt });
        book = next.book;
        await store.publish(book, decisionDraft(book), next.inputs);
      }
      return book as LimitBook;
    }

    const USER: UserPolicy = {
      userId: 'u1',
      maxLeverage: 5,
      accountCreatedAt: null,
      ownInitialMarginRatePpm: null,
      notionalCoefMicros: null,
      experienceClass: null,
      overrideMaxLeverage: null,
      overrideExpiresAt: null,
      overrideReason: null,
      updatedAt: 1,
    };

    async function setUser(userId: string, maxLeverage: number): Promise<void> {
      const policy = { ...USER, userId, maxLeverage };
      const draft = { at: 1, kind: 'user-policy', actor: 'ann', subject: userId, reason: 'set' } as const;
      await store.putUser(policy, { ...draft, details: { ...policy } });
    }

    async function freezeTwice(): Promise<void> {
      const clock = new ManualClock(FIRST_DECISION);
      const desk = await GovernanceDesk.recover({ store, clock, policy: DEFAULT_POLICY, book: () => null });
      const ann = { name: 'ann', role: 'operator', key: 'a1' } as const;
      await desk.act(ann, { act: 'freeze', symbol: null, reason: 'first' } as never);
      await desk.act(ann, { act: 'thaw', symbol: null, reason: 'second' } as never);
    }

    describe('stored inputs', () => {
      test('give every book again, also from another process and after the policy changed', async () => {
        await publishMany(3);
        const before = await store.latestBook();
        const policy = { ...DEFAULT_POLICY, maximumLeverage: 20 };
        const changed = decidedBook(before, marketsAt(3), { policy });
        await store.publish(changed.book, decisionDraft(changed.book), changed.inputs);
        const reader = await place.open();
        for (let version = 1; version <= 4; version++) {
          const book = (await reader.bookByVersion(version)) as LimitBook;
          const inputs = await reader.inputs(version);
          expect(inputs).not.toBeNull();
          const again = replay(book, await reader.bookByVersion(version - 1), inputs as never);
          expect([version, again.difference, again.book.hash]).toEqual([version, null, book.hash]);
        }
        expect(await reader.inputs(5)).toBeNull();
        await reader.close();
      });

      test('are kept once where they did not change, and are gone with a book that was not published', async () => {
        const first = await publishMany(1);
        const [{ parts }] = await place.read('SELECT count(*) AS parts FROM input_part');
        const same = decidedBook(first, marketsAt(0));
        await store.publish(same.book, decisionDraft(same.book), same.inputs);
        expect(await place.read('SELECT count(*) AS parts FROM input_part')).toEqual([
          { parts: Number(parts) + 1 },
        ]);
        const other = decidedBook(first, marketsAt(7));
        await expect(
          store.publish(other.book, decisionDraft(other.book), other.inputs),
        ).rejects.toMatchObject({
          code: 'CONFLICT',
        });
        const third = decidedBook(same.book, marketsAt(2));
        await expect(
          store.publish(third.book, decisionDraft(third.book), other.inputs),
        ).rejects.toMatchObject({
          code: 'CHAIN_BROKEN',
        });
        expect(await place.read('SELECT count(*) AS parts FROM input_part')).toEqual([
          { parts: Number(parts) + 1 },
        ]);
        expect(await verified()).toMatchObject({ books: 2, replayable: 2, checkpoints: 2 });
      });

      test('are dropped after the days that they are kept for; the chain holds, and no later ones may be missing', async () => {
        await store.close();
        store = await open(2);
        await publishMany(6, 24 * HOUR);
        expect(await verified()).toMatchObject({ books: 6, replayable: 3, firstBadBook: null });
        expect(await store.inputs(3)).toBeNull();
        expect(await store.inputs(4)).not.toBeNull();
        // What is shared with younger books stays: the policy is one part of all of them.
        const kept = await place.read('SELECT count(*) AS n FROM input_part WHERE last_version < 4');
        expect(kept).toEqual([{ n: 0 }]);
        await place.tamper('DELETE FROM decision_input WHERE version = 5');
        expect((await verified()).firstBadBook).toEqual({
          version: 5,
          reason: 'the inputs that it was decided from are missing',
        });
      });
    });

    describe('verify names', () => {
      test.each([
        [
          'a list of inputs',
          `UPDATE decision_input SET body = replace(body, '"format":1', '"format":2') WHERE version = 2`,
          'book 2',
        ],
        [
          'lists of inputs that were swapped',
          'UPDATE decision_input SET version = 99 WHERE version = 2; UPDATE decision_input SET version = 2 WHERE version = 3; UPDATE decision_input SET version = 3 WHERE version = 99',
          'book 2',
        ],
        ['rubbish for a list', `UPDATE decision_input SET body = 'rubbish' WHERE version = 3`, 'book 3'],
        [
          'a checkpoint that says something else',
          `UPDATE checkpoint SET body = replace(body, '"books":3', '"books":2') WHERE number = 3`,
          'checkpoint 3: its signature',
        ],
        [
          'a signature',
          `UPDATE checkpoint SET body = replace(body, '"signature":"', '"signature":"AA') WHERE number = 2`,
          'checkpoint 2: its signature',
        ],
        [
          'rubbish for a checkpoint',
          `UPDATE checkpoint SET body = '{}' WHERE number = 4`,
          'checkpoint 4: its content',
        ],
        ['a removed checkpoint', 'DELETE FROM checkpoint WHERE number = 2', 'checkpoint 2: it is missing'],
        [
          'swapped checkpoints',
          'UPDATE checkpoint SET number = 99 WHERE number = 2; UPDATE checkpoint SET number = 2 WHERE number = 3; UPDATE checkpoint SET number = 3 WHERE number = 99',
          'checkpoint 2: its columns',
        ],
        [
          'a chain of books that was cut at its end',
          'DELETE FROM decision_input WHERE version = 4; DELETE FROM schedule_change WHERE version = 4; DELETE FROM book WHERE version = 4',
          'checkpoint 4: book 4, which it saw, is missing',
        ],
        [
          'an audit chain that was cut at its end',
          'DELETE FROM audit WHERE sequence > 7',
          'checkpoint 4: audit entry 8, which it saw, is missing',
        ],
        [
          'the cap of a user',
          "UPDATE user_policy SET max_leverage = 100 WHERE user_id = 'u2'",
          'user u2: it is not as audit entry 2 says',
        ],
        ['a removed user', "DELETE FROM user_policy WHERE user_id = 'u1'", 'user u1: it is missing'],
        [
          'an invented user',
          `UPDATE user_policy SET user_id = 'u0' WHERE user_id = 'u2'`,
          'user u0: nothing was audited',
        ],
        [
          'when a freeze ends',
          'UPDATE governance_change SET ends_at = ends_at + 1',
          'freeze-1: it is not as audit entry 4 says',
        ],
        ['a removed freeze', 'DELETE FROM governance_change', 'change 1: it is missing'],
        [
          'a freeze that points at its first step',
          'UPDATE governance_change SET audit_sequence = 3',
          'freeze-1: it is not as audit entry 4 says',
        ],
      ])('%s', async (_, sql, words) => {
        await setUser('u1', 5);
        await setUser('u2', 5);
        await freezeTwice();
        await publishMany(4);
        expect(verificationFaults(await verified())).toEqual([]);
        await place.tamper(sql);
        const faults = verificationFaults(await verified());
        expect(faults.find((fault) => fault.startsWith(words))).toBeDefined();
        // A book whose audit entry was cut off with the chain is bad too; nothing else is accused.
        expect(
          faults
            .filter((fault) => !fault.startsWith(words))
            .every((fault) => /^book 4: its audit/.test(fault)),
        ).toBe(true);
      });

      /** Hashes of the parts that a book does not share with the one before. */
      async function ownParts(version: number): Promise<readonly string[]> {
        const rows = await place.read('SELECT version, body FROM decision_input');
        const hashes = (of: number): string[] =>
          Object.values(partHashes(String(rows.find((row) => row.version === of)?.body)));
        const shared = new Set(hashes(version - 1));
        return hashes(version).filter((hash) => !shared.has(hash));
      }

      test.each([
        [
          'a byte of an input',
          async ([hash]: readonly string[]) => {
            const [{ body }] = await place.read(`SELECT body FROM input_part WHERE hash = '${hash}'`);
            const bytes = Uint8Array.from(body as Uint8Array);
            bytes[20] ^= 0xff;
            await place.tamper('UPDATE input_part SET body = ? WHERE hash = ?', bytes, hash);
          },
        ],
        [
          'a removed input',
          ([hash]: readonly string[]) => place.tamper('DELETE FROM input_part WHERE hash = ?', hash),
        ],
        [
          'inputs under the hash of others',
          ([hash]: readonly string[]) =>
            place.tamper(
              'UPDATE input_part SET body = (SELECT body FROM input_part WHERE hash <> ? ORDER BY hash LIMIT 1) WHERE hash = ?',
              hash,
              hash,
            ),
        ],
      ])('%s', async (_, change) => {
        await publishMany(4);
        await change(await ownParts(4));
        const [fault, ...others] = verificationFaults(await verified());
        expect(fault).toBe('book 4: its stored inputs are not what it was decided from');
        expect(others).toEqual([]);
      });

      test('no user whose policy was audited before it had what it has now', async () => {
        const { userId, maxLeverage, accountCreatedAt, ownInitialMarginRatePpm, updatedAt } = USER;
        const details = { userId, maxLeverage, accountCreatedAt, ownInitialMarginRatePpm, updatedAt };
        const draft = { at: 1, kind: 'user-policy', actor: 'ann', subject: userId, reason: 'set' } as const;
        await store.putUser(USER, { ...draft, details });
        expect(verificationFaults(await verified())).toEqual([]);
        await place.tamper("UPDATE user_policy SET experience_class = 'professional'");
        expect(verificationFaults(await verified())).toEqual(['user u1: it is not as audit entry 1 says']);
      });

      test('whichever byte of the stored inputs is changed', async () => {
        await publishMany(2);
        const parts = await place.read('SELECT hash, body FROM input_part ORDER BY hash');
        const write = (hash: unknown, body: Uint8Array) =>
          place.tamper('UPDATE input_part SET body = ? WHERE hash = ?', body, hash as string);
        await fc.assert(
          fc.asyncProperty(
            fc.nat(parts.length - 1),
            fc.nat(100_000),
            fc.integer({ min: 1, max: 255 }),
            async (p, at, flip) => {
              const { hash, body } = parts[p];
              const bytes = Uint8Array.from(body as Uint8Array);
              bytes[at % bytes.length] ^= flip;
              await write(hash, bytes);
              const { firstBadBook } = await verified();
              await write(hash, body as Uint8Array);
              // The header of a compressed part has bits that mean nothing: then the same bytes come out.
              if (firstBadBook === null) expect(at % bytes.length).toBeLessThan(16);
              else expect(firstBadBook.reason).toBe('its stored inputs are not what it was decided from');
            },
          ),
          { seed: 20240607, numRuns: 150 },
        );
      });

      test('a whole chain that was made anew by somebody without the key', async () => {
        await publishMany(3);
        const kept = await store.latestCheckpoint();
        await store.close();
        await place.wipe();
        const other = mkdtempSync(join(tmpdir(), 'plimsoll-forger-'));
        store = await place.open({ signer: await ensureCheckpointKey(other) });
        await publishMany(3, 2 * HOUR);
        rmSync(other, { recursive: true });
        expect((await verified()).firstBadCheckpoint).toMatchObject({
          number: 1,
          reason: expect.stringContaining('not one of those that are believed'),
        });
        expect(await store.checkpointFault(kept as never)).toBe('book 3 is not the one that it saw');
      });
    });

    describe('checkpoints', () => {
      test('come with every book and on demand, but only when the chains went on', async () => {
        expect(await store.latestCheckpoint()).toBeNull();
        const book = await publishMany(2);
        const audit = (await store.auditAfter(1, 1))[0];
        expect(await store.latestCheckpoint()).toMatchObject({
          ...{ number: 2, books: 2, bookHash: book.hash, auditEntries: 2, auditHash: audit.hash },
          at: new Date(book.decidedAt).toISOString(),
        });
        await store.appendCheckpoint(1);
        expect((await store.latestCheckpoint())?.number).toBe(2);
        await setUser('u1', 3);
        await store.appendCheckpoint(book.decidedAt + 5);
        expect(await store.latestCheckpoint()).toMatchObject({ number: 3, books: 2, auditEntries: 3 });
        expect(await verified()).toMatchObject({ checkpoints: 3, firstBadCheckpoint: null });
      });

      test('without a key there are none, and none are asked for', async () => {
        await store.close();
        store = await place.open();
        await publishMany(1);
        await store.appendCheckpoint(1);
        expect(await store.latestCheckpoint()).toBeNull();
        expect(await verified()).toMatchObject({ checkpoints: 0, firstBadCheckpoint: null });
      });

      test('a damaged newest one is told to whoever reads it, and keeps no book from being published', async () => {
        await publishMany(2);
        await place.tamper("UPDATE checkpoint SET body = 'rubbish' WHERE number = 2");
        await expect(store.latestCheckpoint()).rejects.toMatchObject({ code: 'CHAIN_BROKEN' });
        await publishMany(1);
        expect(await store.latestCheckpoint()).toMatchObject({ number: 3, books: 3 });
        expect((await verified()).firstBadCheckpoint).toMatchObject({ number: 2 });
      });

      test('more than a page of them are walked', async () => {
        await publishMany(1);
        for (let i = 0; i < 140; i++) {
          await setUser('u1', 1 + i);
          await store.appendCheckpoint(i);
        }
        expect(await verified()).toMatchObject({ checkpoints: 141, firstBadCheckpoint: null });
        await place.tamper('DELETE FROM checkpoint WHERE number = 130');
        expect((await verified()).firstBadCheckpoint).toEqual({ number: 130, reason: 'it is missing' });
      });

      test('a verification beside a service that writes accuses nobody', async () => {
        await publishMany(60);
        const writer = await open();
        let isOver = false;
        const write = async (): Promise<void> => {
          for (let i = 0; !isOver; i++) {
            const policy = { ...USER, userId: `w${i % 7}`, maxLeverage: 1 + (i % 50) };
            const draft = {
              at: 1,
              kind: 'user-policy',
              actor: 'ann',
              subject: policy.userId,
              reason: 'set',
            } as const;
            await writer.putUser(policy, { ...draft, details: { ...policy } });
            await writer.appendCheckpoint(i);
            await new Promise((resolve) => setImmediate(resolve));
          }
        };
        const writing = write();
        for (let i = 0; i < 5; i++) expect(verificationFaults(await verified())).toEqual([]);
        isOver = true;
        await writing;
        await writer.close();
      });
    });
  });
}
