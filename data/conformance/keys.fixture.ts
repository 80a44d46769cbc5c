import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isLive, type ServiceStore, type StoredKey } from '../../src/control/ports.ts';
import { hashKey } from '../operator-key.ts';
import type { MakePlace, StorePlace } from './store-place.fixture.ts';

const HOUR = 3_600_000;
const NOW = 1_700_000_000_000;
export const STEP = { at: NOW, actor: 'command', reason: 'a test' };

export function keyOf(name: string, secret: string, changes: Partial<StoredKey> = {}): StoredKey {
  const sha256 = hashKey(secret);
  return {
    id: sha256.slice(0, 16),
    name,
    role: 'exchange',
    scopes: ['limits:read'],
    subjects: ['desk-'],
    sha256,
    sealedSecret: null,
    createdAt: NOW,
    expiresAt: null,
    revokedAt: null,
    ...changes,
  };
}

/** What every state store holds about keys. */
export function keysConform(makePlace: MakePlace): void {
  describe('keys', () => {
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

    describe('keys at rest', () => {
      test('come back as they were put, and each step is in the audit chain without what opens', async () => {
        const first = keyOf('matching', 'first-secret');
        await store.keys.add(first, STEP);
        expect(await store.keys.all()).toEqual([first]);
        await store.keys.rotate('matching', () => keyOf('matching', 'second-secret'), NOW + HOUR, STEP);
        await store.keys.revoke('matching', null, { ...STEP, reason: 'it was in a log' });
        const entries = await store.auditAfter(0, 10);
        expect(entries.map(({ kind, subject, details }) => [kind, subject, details.act])).toEqual([
          ['key', 'matching', 'add'],
          ['key', 'matching', 'rotate'],
          ['key', 'matching', 'revoke'],
          ['key', 'matching', 'revoke'],
        ]);
        expect(entries.at(-1)?.reason).toBe('it was in a log');
        const { sha256 } = first;
        for (const secret of ['first-secret', 'second-secret', sha256])
          expect(JSON.stringify(entries)).not.toContain(secret);
        expect((await store.verify()).auditEntries).toBe(4);
      });

      test('two of a name live at most, and the first ends after the overlap, or when it was to', async () => {
        await store.keys.add(keyOf('a', 'a1', { expiresAt: NOW + HOUR / 2 }), STEP);
        await store.keys.rotate('a', () => keyOf('a', 'a2'), NOW + HOUR, STEP);
        const third = store.keys.rotate('a', () => keyOf('a', 'a3'), NOW + HOUR, STEP);
        await expect(third).rejects.toMatchObject({ code: 'CONFLICT' });
        const [first, second] = await store.keys.all();
        expect([first.expiresAt, second.expiresAt].sort()).toEqual([NOW + HOUR / 2, null].sort());
        // Once the first is over there is room for another.
        const later = { ...STEP, at: NOW + HOUR };
        await store.keys.rotate('a', () => keyOf('a', 'a4'), later.at, later);
        const live = (await store.keys.all()).filter((key) => isLive(key, later.at));
        expect(live.map(({ sha256 }) => sha256)).toEqual([hashKey('a4')]);
      });

      test('a name has one key until it is rotated, and none that is over can be ended again', async () => {
        await store.keys.add(keyOf('a', 'a1'), STEP);
        await expect(store.keys.add(keyOf('a', 'a2'), STEP)).rejects.toMatchObject({ code: 'CONFLICT' });
        await expect(store.keys.revoke('b', null, STEP)).rejects.toMatchObject({ code: 'KEY_UNKNOWN' });
        await expect(store.keys.revoke('a', 'f'.repeat(16), STEP)).rejects.toMatchObject({
          code: 'KEY_UNKNOWN',
        });
        await store.keys.revoke('a', null, STEP);
        await expect(store.keys.revoke('a', null, STEP)).rejects.toMatchObject({ code: 'KEY_UNKNOWN' });
        await store.keys.add(keyOf('a', 'a2'), STEP);
        expect(await store.keys.all()).toHaveLength(2);
      });

      test('what another process wrote is noticed without reading the keys', async () => {
        const seen = await store.keys.dataVersion();
        expect(await store.keys.dataVersion()).toBe(seen);
        const other = await place.open();
        await other.keys.add(keyOf('a', 'a1'), STEP);
        await other.close();
        expect(await store.keys.dataVersion()).not.toBe(seen);
      });
    });
  });
}
