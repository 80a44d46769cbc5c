import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createContext } from '../src/cli/context.ts';
import { buildProgram } from '../src/cli/program.ts';
import { plimsoll } from './run-plimsoll.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const context = createContext();
const program = buildProgram(context);
context.close();
const verbs = program.commands.flatMap((command) =>
  command.commands.length === 0
    ? [[command.name()]]
    : command.commands.map((inner) => [command.name(), inner.name()]),
);
/** Arguments that a verb cannot do without. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  import: [join(folder, 'absent.csv')],
  evaluate: ['20200101-00000000'],
  compare: ['20200101-00000000', '20200101-00000001'],
  promote: ['20200101-00000000'],
  explain: ['BTCUSDT'],
  history: ['BTCUSDT'],
};
/** What a verb says in a data folder with nothing in it: exit code by the kind of lack. */
const IN_AN_EMPTY_FOLDER: Readonly<Record<string, number>> = {
  import: 4,
  data: 5,
  train: 5,
  evaluate: 4,
  compare: 4,
  models: 0,
  promote: 4,
  rollback: 4,
  limits: 4,
  explain: 4,
  history: 4,
  'audit verify': 4,
  'config check': 0,
  doctor: 0,
};

describe('every verb', () => {
  test.each(verbs)('%s %s has help with an example that is a command of it', async (...names) => {
    const path = names.filter((name) => typeof name === 'string');
    const { code, stdout } = await plimsoll([...path, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`$ plimsoll ${path.join(' ')}`);
    for (const option of ['--data-dir', '--config', '--json']) expect(stdout).toContain(option);
  });

  test('refuses an option that it does not know, with exit code 2', async () => {
    for (const [name] of [['limits'], ['train'], ['import']]) {
      const { code, stderr } = await plimsoll([name, '--bogus']);
      expect([name, code]).toEqual([name, 2]);
      expect(stderr).toContain('--bogus');
    }
    expect((await plimsoll(['bogus'])).code).toBe(2);
  });
});

describe('in a data folder with nothing in it', () => {
  test('the table of expectations names every verb but serve', () => {
    const named = verbs.map((path) => path.join(' ')).filter((name) => name !== 'serve');
    expect(Object.keys(IN_AN_EMPTY_FOLDER).sort()).toEqual(named.sort());
  });

  test.each(Object.entries(IN_AN_EMPTY_FOLDER))(
    '%s ends with exit code %i, and what it prints is JSON when asked',
    async (name, expected) => {
      const dataDir = join(folder, name.replace(' ', '-'));
      const args = [...name.split(' '), ...(NEEDED[name] ?? []), '--data-dir', dataDir, '--json'];
      const { code, stdout, stderr } = await plimsoll(args);
      expect([code, stderr.includes('    at ')]).toEqual([expected, false]);
      if (expected === 0) expect(() => JSON.parse(stdout)).not.toThrow();
      else {
        expect(stdout).toBe('');
        const [problem] = stderr.split('\n').filter((line) => line.startsWith('{'));
        expect(JSON.parse(problem).error).toMatchObject({
          code: expect.stringMatching(/^[A-Z_]+$/),
          message: expect.any(String),
          remedy: expect.any(String),
        });
      }
    },
  );
});

describe('imports on the command line', () => {
  const header = 'open_time,open,high,low,close,volume,quote_volume';
  const file = join(folder, 'ABCUSDT-test-perp-1h.csv');
  const dataDir = join(folder, 'imported');

  test('bad rows are named by file, line, reason and remedy, the good ones are kept, and the exit code is 5', async () => {
    const rows = [
      '1704067200000,1,2,0.5,1.5,10,15',
      '1704070800000,1,0.4,0.5,1.5,10,15',
      '1704074400000,1,2,0.5,1.5,10,15',
    ];
    writeFileSync(file, `${[header, ...rows].join('\n')}\n`);
    const { code, stdout } = await plimsoll(['import', file, '--data-dir', dataDir]);
    expect(code).toBe(5);
    expect(stdout).toContain('refused ABCUSDT-test-perp-1h.csv line 3: HIGH_BELOW_LOW');
    expect(stdout).toContain('The high must not be below the low.');
    expect(stdout).toContain('2 added');
    const stored = JSON.parse((await plimsoll(['data', '--json', '--data-dir', dataDir])).stdout);
    expect(stored.series).toMatchObject([{ symbol: 'ABCUSDT', rows: 2, gaps: 1, simulated: false }]);
  });

  test('a file that is all good ends with 0, also the second time, which changes nothing', async () => {
    writeFileSync(file, `${header}\n1704067200000,1,2,0.5,1.5,10,15\n`);
    const { code, stdout } = await plimsoll(['import', file, '--data-dir', dataDir, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ rows: 1, added: 0, unchanged: 1, refusedRows: 0 });
  });
});
