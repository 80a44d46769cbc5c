import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureOperatorKey, hashKey } from './operator-key.ts';

const FIXTURE = fileURLToPath(new URL('./operator-key-start.fixture.ts', import.meta.url));

let folder: string;
let dataDir: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-key-'));
  dataDir = join(folder, 'new', 'data');
});

afterEach(() => rmSync(folder, { recursive: true }));

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

test('the first start makes a key of 256 bits that only its owner can read; later starts give its hash, not the key', async () => {
  const first = await ensureOperatorKey(dataDir);
  expect(first.created).toMatch(/^[\w-]{43}$/);
  expect(Buffer.from(first.created ?? '', 'base64url')).toHaveLength(32);
  expect(first.hash).toBe(
    createHash('sha256')
      .update(first.created ?? '')
      .digest('hex'),
  );
  expect(first.path).toBe(join(dataDir, 'operator.key'));
  expect(readFileSync(first.path, 'utf8')).toBe(`${first.created}\n`);
  expect(modeOf(first.path)).toBe(0o600);
  expect(readdirSync(dataDir)).toEqual(['operator.key']);

  expect(await ensureOperatorKey(dataDir)).toEqual({ hash: first.hash, created: null, path: first.path });
  expect(modeOf(first.path)).toBe(0o600);
});

test('a generous umask does not open the key', async () => {
  const before = process.umask(0);
  const { path } = await ensureOperatorKey(dataDir).finally(() => process.umask(before));
  expect(modeOf(path)).toBe(0o600);
});

test('two folders get two keys', async () => {
  const one = await ensureOperatorKey(dataDir);
  const other = await ensureOperatorKey(join(folder, 'other'));
  expect(one.hash).not.toBe(other.hash);
});

describe('a key that others of the machine can reach is refused', () => {
  test.each([0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o777])('mode %i', async (mode) => {
    const { path, created } = await ensureOperatorKey(dataDir);
    chmodSync(path, mode);
    const refusal = ensureOperatorKey(dataDir);
    await expect(refusal).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      remedy: `Take their rights away: chmod 600 ${path}`,
    });
    await expect(refusal).rejects.not.toThrow(created ?? '');
    chmodSync(path, 0o600);
    expect(await ensureOperatorKey(dataDir)).toMatchObject({ hash: hashKey(created ?? '') });
  });

  test('the rights of the owner alone are no matter', async () => {
    const { path, hash } = await ensureOperatorKey(dataDir);
    chmodSync(path, 0o400);
    expect(await ensureOperatorKey(dataDir)).toMatchObject({ hash, created: null });
  });
});

describe('a file that holds no key is refused and left as it is', () => {
  test.each(['', '\n', 'short', 'a key with blanks in it, long enough to be one', 'x'.repeat(129)])(
    '%j',
    async (content) => {
      const { path } = await ensureOperatorKey(dataDir);
      writeFileSync(path, content);
      await expect(ensureOperatorKey(dataDir)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        remedy: `Remove ${path}; the next start makes a new key.`,
      });
      expect(readFileSync(path, 'utf8')).toBe(content);
    },
  );
});

test("a key of one's own choosing is taken, with or without a line end", async () => {
  const { path } = await ensureOperatorKey(dataDir);
  for (const content of ['k'.repeat(32), `${'k'.repeat(32)}\n`]) {
    writeFileSync(path, content);
    expect(await ensureOperatorKey(dataDir)).toMatchObject({ hash: hashKey('k'.repeat(32)), created: null });
  }
});

describe('first starts at once give one key', () => {
  function expectOneKey(starts: readonly { hash: string; created: string | null }[]): void {
    const made = starts.filter(({ created }) => created !== null);
    expect(made).toHaveLength(1);
    expect(new Set(starts.map(({ hash }) => hash))).toEqual(new Set([hashKey(made[0].created ?? '')]));
    expect(readFileSync(join(dataDir, 'operator.key'), 'utf8')).toBe(`${made[0].created}\n`);
    expect(readdirSync(dataDir)).toEqual(['operator.key']);
  }

  test('in one process', async () => {
    expectOneKey(await Promise.all(Array.from({ length: 20 }, () => ensureOperatorKey(dataDir))));
  });

  test('and nobody ever sees a part of one', async () => {
    const seen = new Set<string>();
    for (let start = 0; start < 20; start++) {
      const own = join(folder, `start-${start}`);
      let isMade = false;
      const making = ensureOperatorKey(own).finally(() => {
        isMade = true;
      });
      while (!isMade) {
        if (existsSync(join(own, 'operator.key'))) seen.add(readFileSync(join(own, 'operator.key'), 'utf8'));
        await turnOfTheLoop();
      }
      seen.add(`${(await making).created}\n`);
    }
    expect(seen.size).toBe(20);
    expect([...seen].filter((content) => !/^[\w-]{43}\n$/.test(content))).toEqual([]);
  });

  test('in several processes', async () => {
    const children = Array.from({ length: 3 }, () =>
      spawn(process.execPath, [FIXTURE, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const outputs = children.map(
      (child) =>
        new Promise<string>((resolve) => {
          let output = '';
          child.stdout.on('data', (chunk) => {
            output += chunk;
          });
          child.on('close', () => resolve(output));
        }),
    );
    for (const child of children) child.stdin.end();
    expectOneKey((await Promise.all(outputs)).map((output) => JSON.parse(output)));
  });
});
