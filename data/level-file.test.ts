import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { levelFile } from './level-file.ts';

const root = mkdtempSync(join(tmpdir(), 'plimsoll-levels-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const state = { version: 1 as const, markets: { BTCUSDT: { logs: [0.1, -0.2], newest: [1, null] } } };

describe('the file of levels', () => {
  test('gives back what was saved last, and leaves nothing else behind', async () => {
    const file = levelFile(join(root, 'fresh'));
    expect(await file.load()).toBeNull();
    await file.save({ version: 1, markets: {} });
    await file.save(state);
    expect(await file.load()).toEqual(state);
    expect(readdirSync(join(root, 'fresh'))).toEqual(['levels.json']);
  });

  test('that is torn or of another shape counts as nothing learned', async () => {
    const file = levelFile(root);
    for (const content of ['{"version":1,"mark', '{"version":2,"markets":{}}', '[]', '']) {
      writeFileSync(join(root, 'levels.json'), content);
      expect(await file.load()).toBeNull();
    }
  });
});
