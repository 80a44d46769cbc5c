import { describe, expect, test } from 'vitest';
import { GOVERNANCE_ENTRY_KINDS } from '../../../../src/control/ports.ts';
import type { AuditEntry } from '../../answers.ts';
import { ENTRY_KINDS, fits, mentionsOf } from './words.ts';

const entry: AuditEntry = {
  sequence: 3,
  at: '2026-01-31T12:00:00.000Z',
  kind: 'freeze',
  actor: 'Ann',
  subject: 'freeze-7',
  reason: 'index is being recomputed',
  details: {
    changes: [
      { id: 'freeze-7', symbol: 'CINDUSDT' },
      { id: 'freeze-6', symbol: null },
    ],
  },
  previousHash: 'a'.repeat(64),
  hash: 'b'.repeat(64),
};
const any = { kind: '', actor: '', text: '' };

describe('entries are found', () => {
  test('by kind, by part of the actor, by any text in them, and by all of it together', () => {
    expect(fits(entry, any)).toBe(true);
    expect(fits(entry, { kind: 'freeze', actor: 'an', text: 'cindusdt' })).toBe(true);
    for (const part of [{ kind: 'thaw' }, { actor: 'bob' }, { text: 'nowhere' }])
      expect([part, fits(entry, { ...any, ...part })]).toEqual([part, false]);
    for (const text of ['freeze-6', 'RECOMPUTED', 'bbbb']) expect(fits(entry, { ...any, text })).toBe(true);
  });

  test('by every kind that governance writes', () => {
    expect(GOVERNANCE_ENTRY_KINDS.filter((kind) => !ENTRY_KINDS.includes(kind))).toEqual([]);
  });
});

test('what an entry is about is linked: changes, markets, the book', () => {
  expect(mentionsOf(entry)).toEqual({
    markets: ['CINDUSDT'],
    changes: ['freeze-7', 'freeze-6'],
    book: null,
  });
  const decision = { ...entry, kind: 'decision', subject: 'book 12', details: { guarded: ['AURUSDT'] } };
  expect(mentionsOf(decision)).toEqual({ markets: ['AURUSDT'], changes: [], book: 12 });
  expect(mentionsOf({ ...entry, details: { changes: 'rubbish', guarded: [1, null] } })).toEqual({
    markets: [],
    changes: [],
    book: null,
  });
});
