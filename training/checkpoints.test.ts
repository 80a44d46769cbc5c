import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KILLS, killMoments, runAndKill, sayKills } from '../test/kills.ts';
import { isWholePiece } from './checkpoint-pieces.fixture.ts';
import { Checkpoints, runKey } from './checkpoints.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-checkpoints-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const KEY = runKey({ data: 'abc', options: { seeds: [1, 2, 3], everyHours: 5 } });
const pathOf = (name: string, key = KEY): string => join(dataDir, 'training', key, name);

describe('the key of a run', () => {
  test('does not depend on the order of names, and on everything else', () => {
    expect(runKey({ options: { everyHours: 5, seeds: [1, 2, 3] }, data: 'abc' })).toBe(KEY);
    const others = [
      { data: 'abd', options: { seeds: [1, 2, 3], everyHours: 5 } },
      { data: 'abc', options: { seeds: [1, 3, 2], everyHours: 5 } },
      { data: 'abc', options: { seeds: [1, 2, 3], everyHours: '5' } },
      { data: 'abc', options: { seeds: [1, 2, 3], everyHours: null } },
    ];
    expect(new Set([KEY, ...others.map(runKey)]).size).toBe(5);
  });

  test('refuses what JSON would lose', () => {
    expect(() => runKey({ to: Number.NaN })).toThrowError(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });
});

describe('pieces', () => {
  test('come back as they were put, also from another opening, and nothing else does', () => {
    const store = Checkpoints.open(dataDir, KEY);
    expect(store.get('fold-0')).toBeNull();
    store.put('fold-0', Buffer.from('first'));
    store.put('fold-0', Buffer.from('second'));
    store.put('empty', new Uint8Array(0));
    const again = Checkpoints.open(dataDir, KEY);
    expect(again.get('fold-0')?.toString()).toBe('second');
    expect(again.get('empty')).toHaveLength(0);
    expect(Checkpoints.open(dataDir, runKey({ data: 'other' })).get('fold-0')).toBeNull();
    again.clear();
    expect(again.get('fold-0')).toBeNull();
    expect(existsSync(pathOf('fold-0'))).toBe(false);
  });

  test('a piece is nothing when any one byte of it is another, when it is cut anywhere, or lies under another name', () => {
    const store = Checkpoints.open(dataDir, KEY);
    store.put('piece', Buffer.from('content'));
    const whole = readFileSync(pathOf('piece'));
    for (let i = 0; i < whole.length; i++) {
      const damaged = Buffer.from(whole);
      damaged[i] ^= 1;
      writeFileSync(pathOf('piece'), damaged);
      expect(store.get('piece')).toBeNull();
      writeFileSync(pathOf('piece'), whole.subarray(0, i));
      expect(store.get('piece')).toBeNull();
    }
    writeFileSync(pathOf('other'), whole);
    expect(store.get('other')).toBeNull();
    writeFileSync(pathOf('piece'), whole);
    expect(store.get('piece')?.toString()).toBe('content');
  });

  test.each(['', '.hidden', '../up', 'a/b', 'A', 'x'.repeat(101)])('%j is no name of one', (name) => {
    const store = Checkpoints.open(dataDir, KEY);
    const refused = expect.objectContaining({ code: 'INPUT_INVALID' });
    expect(() => store.put(name, Buffer.from('x'))).toThrowError(refused);
    expect(() => store.get(name)).toThrowError(refused);
  });

  test('runs before the last two are removed, by when they were opened last, and nothing that is no run', () => {
    const keys = [1, 2, 3].map((number) => runKey({ number }));
    Checkpoints.open(dataDir, keys[0]).put('a', Buffer.from('0'));
    writeFileSync(join(dataDir, 'training', 'notes.txt'), 'mine');
    Checkpoints.open(dataDir, keys[1]).put('a', Buffer.from('1'));
    Checkpoints.open(dataDir, keys[0]);
    Checkpoints.open(dataDir, keys[2]);
    const left = readdirSync(join(dataDir, 'training')).sort();
    expect(left).toEqual([keys[0], keys[2], 'notes.txt'].sort());
  });
});

const FIXTURE = fileURLToPath(new URL('./checkpointing-process.fixture.ts', import.meta.url));
const PIECES = 4;

test('kill -9 at random moments: every piece is whole or absent, and what was acknowledged or whole once stays', async () => {
  const moments = killMoments('training');
  const seen = new Set<number>();
  let kills = 0;
  for (; kills < KILLS.training; kills++) {
    const { lines, wasKilled } = await runAndKill(FIXTURE, [dataDir, KEY, String(PIECES)], {
      afterLines: moments.integer(2 * PIECES),
      milliseconds: moments.uniform() * (kills % 4 === 3 ? 200 : 12),
    });
    expect(wasKilled).toBe(true);
    for (const line of lines) seen.add(Number(line));
    const store = Checkpoints.open(dataDir, KEY);
    for (let piece = 0; piece < PIECES; piece++) {
      const bytes = store.get(`fold-${piece}`);
      if (bytes === null) expect(seen.has(piece)).toBe(false);
      else {
        expect(isWholePiece(piece, bytes)).toBe(true);
        seen.add(piece);
      }
    }
    const folder = join(dataDir, 'training', KEY);
    const left = existsSync(folder) ? readdirSync(folder) : [];
    expect(left.every((name) => /^fold-\d$/.test(name))).toBe(true);
  }
  sayKills('training', kills);
  expect(kills).toBe(KILLS.training);
  expect(seen.size).toBe(PIECES);
}, 300_000);
