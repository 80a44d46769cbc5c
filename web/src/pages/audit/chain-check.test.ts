import { webcrypto } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureCheckpointKey, publicKeyPath } from '../../../../data/checkpoint-key.ts';
import { SqliteStateStore } from '../../../../data/sqlite-state-store.ts';
import type { AuditDraft } from '../../../../src/control/ports.ts';
import { auditEntryShape } from '../../../../src/http/shapes.ts';
import { Metrics } from '../../../../src/metrics/metrics.ts';
import type { AuditEntry } from '../../answers.ts';
import { ChainCheck, type Checkpoint, entryHash, signatureFault } from './chain-check.ts';
import { ownVerificationOf } from './own-verification.ts';

const subtle = webcrypto.subtle as SubtleCrypto;
const COUNT = 12;
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-chain-check-'));
/** As a browser gets them. */
let entries: readonly AuditEntry[];
let checkpoint: Checkpoint;
let publicKey: string;

const DETAILS: readonly AuditDraft['details'][] = [
  { z: 1, a: [{ y: -0, x: 1e21 }, null, true], 10: 'ten', 2: 'two' },
  {
    'quoted "key"': 'line\nfeed, \u2028, 😀, é',
    empty: {},
    none: [],
    small: 1.5e-9,
    nested: { b: { d: 1, c: 2 } },
  },
  {},
];

beforeAll(async () => {
  const signer = await ensureCheckpointKey(folder);
  const store = SqliteStateStore.open(folder, { signer });
  for (let i = 0; i < COUNT; i++)
    await store.appendAudit({
      at: 1_700_000_000_000 + 1234 * i,
      kind: 'override',
      actor: 'ann',
      subject: `override-${i}`,
      reason: `reason ${i} “quoted”`,
      details: DETAILS[i % DETAILS.length],
    });
  await store.appendCheckpoint(1_700_000_100_000);
  const shaped = (await store.auditAfter(0, 100)).map(auditEntryShape);
  entries = JSON.parse(JSON.stringify(shaped));
  checkpoint = JSON.parse(JSON.stringify(await store.latestCheckpoint()));
  publicKey = readFileSync(publicKeyPath(folder), 'utf8');
  await store.close();
});

afterAll(() => rmSync(folder, { recursive: true }));

async function check(chain: readonly AuditEntry[], seen: Checkpoint | null = checkpoint, pageSize = 5) {
  const own = new ChainCheck(subtle, seen);
  for (let i = 0; i < chain.length; i += pageSize) {
    const fault = await own.take(chain.slice(i, i + pageSize));
    if (fault !== null) return { fault, verified: own.verified };
  }
  return { fault: own.finish(), verified: own.verified, hash: own.hash };
}

const changed = (index: number, part: Partial<AuditEntry>): AuditEntry[] =>
  entries.with(index, { ...entries[index], ...part });

/** Whoever changes an entry can hash it again, as far as the next one. */
async function rehashed(index: number, part: Partial<AuditEntry>): Promise<AuditEntry[]> {
  const entry = { ...entries[index], ...part };
  return entries.with(index, { ...entry, hash: (await entryHash(subtle, entry)) as string });
}

describe('the chain, recomputed from what the service tells', () => {
  test('holds for the entries of a real store, whatever the pages, as far as the checkpoint saw it', async () => {
    for (const pageSize of [1, 5, 100])
      expect(await check(entries, checkpoint, pageSize)).toEqual({
        fault: null,
        verified: COUNT,
        hash: checkpoint.auditHash,
      });
    expect(checkpoint.auditEntries).toBe(COUNT);
    expect(await check([], null)).toMatchObject({ fault: null, verified: 0, hash: '0'.repeat(64) });
  });

  test.each([
    ['the time', { at: '2023-11-14T22:13:20.001Z' }],
    ['a time that is none', { at: 'yesterday' }],
    ['the kind', { kind: 'freeze' }],
    ['the actor', { actor: 'bob' }],
    ['the subject', { subject: 'override-99' }],
    ['the reason', { reason: 'another' }],
    ['the details', { details: { z: 2 } }],
    ['the hash', { hash: 'f'.repeat(64) }],
  ])('a change of %s is found where it is', async (_, part) => {
    for (const index of [0, 6, COUNT - 1]) {
      const { fault, verified } = await check(changed(index, part));
      expect([fault?.sequence, verified]).toEqual([index + 1, index]);
    }
  });

  test('an entry that was changed and hashed again is found by the next one, or by the checkpoint', async () => {
    const inside = await check(await rehashed(6, { reason: 'another' }));
    expect(inside.fault).toEqual({ sequence: 8, what: expect.stringContaining('hash of the entry before') });
    const last = await rehashed(COUNT - 1, { reason: 'another' });
    expect((await check(last)).fault).toEqual({
      sequence: COUNT,
      what: expect.stringContaining('signed checkpoint'),
    });
    // Nothing but the checkpoint can know.
    expect((await check(last, null)).fault).toBeNull();
  });

  test('an entry that is missing, twice there or in the wrong place is found', async () => {
    for (const index of [0, 4, 5, COUNT - 2]) {
      const cut = await check(entries.toSpliced(index, 1));
      expect(cut.fault).toEqual({ sequence: index + 1, what: expect.stringContaining('missing') });
      const swapped = entries.with(index, entries[index + 1]).with(index + 1, entries[index]);
      expect((await check(swapped)).fault?.sequence).toBe(index + 1);
      const twice = entries.toSpliced(index, 0, entries[index]);
      expect((await check(twice)).fault?.sequence).toBe(index + 2);
    }
    // Renumbered, so that no number is missing.
    const hidden = entries.toSpliced(3, 1).map((entry, i) => ({ ...entry, sequence: i + 1 }));
    expect((await check(hidden)).fault?.sequence).toBe(4);
  });

  test('a chain that was cut off before its checkpoint is found, and a checkpoint of another chain', async () => {
    expect((await check(entries.slice(0, -1))).fault).toEqual({
      sequence: COUNT,
      what: expect.stringContaining('cut off'),
    });
    expect((await check([])).fault?.sequence).toBe(1);
    const wrong = { ...checkpoint, auditEntries: 5, auditHash: 'a'.repeat(64) };
    expect((await check(entries, wrong)).fault).toMatchObject({ sequence: 5 });
  });
});

describe('the signature of a checkpoint', () => {
  test('holds with the key that signed it, also among others', async () => {
    expect(await signatureFault(subtle, checkpoint, publicKey)).toBeNull();
    const other = await ensureOtherKey();
    expect(await signatureFault(subtle, checkpoint, other + publicKey)).toBeNull();
    expect(await signatureFault(subtle, checkpoint, other)).toContain('is not one of these');
  });

  test('does not hold for anything else', async () => {
    for (const part of [
      { books: 7 },
      { auditEntries: 1 },
      { auditHash: 'a'.repeat(64) },
      { at: '2020-01-01T00:00:00.000Z' },
      { signature: checkpoint.signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')) },
      { signature: 'rubbish!' },
      { signature: '' },
    ])
      expect([part, await signatureFault(subtle, { ...checkpoint, ...part }, publicKey)]).toEqual([
        part,
        expect.stringContaining('not that of its content'),
      ]);
    for (const text of ['', 'rubbish', publicKey.slice(0, 60)])
      expect(await signatureFault(subtle, checkpoint, text)).toContain('no public key');
  });

  async function ensureOtherKey(): Promise<string> {
    const other = mkdtempSync(join(folder, 'other-'));
    await ensureCheckpointKey(other);
    return readFileSync(publicKeyPath(other), 'utf8');
  }
});

test("the service's own verification is read from its metrics", async () => {
  const metrics = new Metrics({ watchList: [], version: '1.2.3' });
  const text = async () => (await metrics.scrape({ isDegraded: false, auditEntries: 3 })).text;
  expect(ownVerificationOf(await text())).toEqual({ heldAt: null, failures: 0 });
  metrics.verified(1_700_000_000_500);
  metrics.verificationFailed();
  expect(ownVerificationOf(await text())).toEqual({ heldAt: 1_700_000_000_500, failures: 1 });
  expect(ownVerificationOf('')).toBeNull();
});
