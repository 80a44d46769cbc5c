import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SqliteStateStore } from '../data/sqlite-state-store.ts';
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
  calibrate: ['--bad-debt', '0.01'],
  preview: ['--accounts', join(folder, 'absent.ndjson')],
  import: [join(folder, 'absent.csv')],
  fetch: ['--exchange', 'nowhere', '--symbols', 'BTCUSDT', '--since', '2024-01-01'],
  dataset: [join(folder, 'set.parquet')],
  evaluate: ['20200101-00000000'],
  compare: ['20200101-00000000', '20200101-00000001'],
  report: ['20200101-00000000', '--output', join(folder, 'report.html')],
  coverage: [join(folder, 'absent.csv')],
  risk: [join(folder, 'absent.csv')],
  promote: ['20200101-00000000'],
  explain: ['BTCUSDT'],
  history: ['BTCUSDT'],
  judge: ['/nowhere/predictor.mjs'],
  override: ['BTCUSDT', '10', '--hours', '1', '--reason', 'a test'],
  approve: ['override-1', '--reason', 'a test'],
  freeze: ['--reason', 'a test'],
  thaw: ['--reason', 'a test'],
  emergency: ['--hours', '1', '--reason', 'a test'],
  'audit replay': ['1'],
  'keys add': ['matching', '--role', 'exchange'],
  'keys rotate': ['matching'],
  'keys revoke': ['matching'],
};
/** What a verb says in a data folder with nothing in it: exit code by the kind of lack. */
const IN_AN_EMPTY_FOLDER: Readonly<Record<string, number>> = {
  migrate: 2,
  import: 4,
  fetch: 4,
  data: 5,
  train: 5,
  dataset: 5,
  experiments: 0,
  evaluate: 4,
  judge: 4,
  backtest: 5,
  calibrate: 5,
  stress: 4,
  sensitivity: 4,
  compare: 4,
  report: 4,
  coverage: 4,
  risk: 4,
  models: 0,
  promote: 4,
  rollback: 4,
  limits: 4,
  explain: 4,
  history: 4,
  override: 4,
  preview: 4,
  approve: 4,
  freeze: 4,
  thaw: 4,
  emergency: 4,
  changes: 4,
  'audit verify': 4,
  'audit replay': 4,
  'audit checkpoint': 4,
  'audit key': 4,
  'keys add': 0,
  'keys list': 0,
  'keys prepare': 0,
  'keys rotate': 4,
  'keys revoke': 4,
  'config check': 0,
  'config policy': 0,
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

describe('a policy file on the command line', () => {
  test('is explained in sentences; what it prints is read back as the same policy', async () => {
    const path = join(folder, 'cautious.yaml');
    writeFileSync(path, 'version: 1\nname: cautious\ngovernor:\n  loosenDelayHours: 72\n');
    const { code, stdout } = await plimsoll(['config', 'check', '--policy', path]);
    expect(code).toBe(0);
    expect(stdout).toContain('Loosening comes 3 days after the last change at the earliest');
    const [, hash] = /The policy cautious, hash ([0-9a-f]{64}), means:/.exec(stdout) ?? [];
    const printed = join(folder, 'printed.yaml');
    writeFileSync(printed, (await plimsoll(['config', 'policy', '--policy', path])).stdout);
    const again = await plimsoll(['config', 'check', '--json'], { PLIMSOLL_POLICY: printed });
    expect(JSON.parse(again.stdout)).toMatchObject({ policyHash: hash, policy: { origin: 'environment' } });
  });

  test('that contradicts itself starts no service: every fault with its line, exit code 2', async () => {
    const path = join(folder, 'broken.yaml');
    writeFileSync(path, 'version: 1\nname: broken\nmaximumBrackets: 1\ngovernor: {deadBandRatio: 2}\n');
    const { code, stderr } = await plimsoll([
      'serve',
      '--policy',
      path,
      '--data-dir',
      join(folder, 'unused'),
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain(`${path}: line 3: maximumBrackets must be`);
    expect(stderr).toContain(`${path}: line 4: governor.deadBandRatio must not be above`);
  });
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

describe('promotion on the command line', () => {
  test('without passed gates it needs an override with a reason, which the audit keeps', async () => {
    const dataDir = join(folder, 'gates');
    const shipped = join(import.meta.dirname, '..', 'models');
    const { champion } = JSON.parse(readFileSync(join(shipped, 'aliases.json'), 'utf8'));
    const version = '20260101-0000000b';
    const target = join(dataDir, 'models', 'versions', version);
    cpSync(join(shipped, 'versions', champion), target, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(target, 'manifest.json'), 'utf8'));
    const words = '9 ms for 500 markets, at most 5';
    Object.assign(manifest, {
      version,
      gates: {
        policyVersion: '1-00000000',
        champion,
        judgedAt: '2026-01-01T00:00:00.000Z',
        passed: false,
        results: [{ gate: 'latency', passed: false, measured: 9, bound: 5, words }],
      },
    });
    writeFileSync(join(target, 'manifest.json'), JSON.stringify(manifest));
    const promote = (...args: string[]) => plimsoll(['promote', version, '--data-dir', dataDir, ...args]);
    const refused = await promote();
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain(`latency: ${words}`);
    expect(refused.stderr).toContain('--override --reason TEXT');
    expect((await promote('--override')).code).toBe(2);
    const { code, stdout } = await promote('--override', '--reason', 'the bound was a slip', '--json');
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      { champion: version, previous: champion, overridden: [`latency: ${words}`] },
    ]);
    const store = SqliteStateStore.open(dataDir);
    const entries = await store.auditAfter(0, 10);
    await store.close();
    expect(entries.at(-1)).toMatchObject({
      kind: 'promotion',
      subject: version,
      reason: 'the bound was a slip',
      details: { from: champion, overridden: [`latency: ${words}`] },
    });
  });

  test('a model that was trained on simulated markets is not promoted where real ones are stored', async () => {
    const dataDir = join(folder, 'promotion');
    const shipped = join(import.meta.dirname, '..', 'models');
    const { champion } = JSON.parse(readFileSync(join(shipped, 'aliases.json'), 'utf8'));
    const version = '20260101-0000000a';
    const target = join(dataDir, 'models', 'versions', version);
    cpSync(join(shipped, 'versions', champion), target, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(target, 'manifest.json'), 'utf8'));
    Object.assign(manifest, { version });
    manifest.data.simulated = true;
    writeFileSync(join(target, 'manifest.json'), JSON.stringify(manifest));
    const bars = join(folder, 'REALUSDT-test-perp-1h.csv');
    writeFileSync(
      bars,
      'open_time,open,high,low,close,volume,quote_volume\n1704067200000,1,2,0.5,1.5,10,15\n',
    );
    expect((await plimsoll(['import', bars, '--data-dir', dataDir])).code).toBe(0);
    const { code, stderr } = await plimsoll(['promote', version, '--data-dir', dataDir]);
    expect(code).toBe(3);
    expect(stderr).toContain('trained on simulated markets');
  });
});

describe('forecasts of anyone', () => {
  const file = join(folder, 'forecasts.csv');
  const write = (rows: readonly string[], header = 'time,loss,var,es'): void =>
    writeFileSync(file, `${[header, ...rows].join('\n')}\n`);
  const row = (hour: number, loss: number): string =>
    `${1704067200000 + hour * 3_600_000},${loss},0.02,0.025`;

  test('are judged from a file, with the shape of the contract', async () => {
    write(Array.from({ length: 200 }, (_, hour) => row(hour, hour % 50 === 7 ? 0.03 : 0.001)));
    const { code, stdout } = await plimsoll(['coverage', file, '--json', '--confidence', '0.99']);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      n: 200,
      confidence: 0.99,
      exceedances: 4,
      exceedanceRate: 0.02,
      trafficLight: 'green',
    });
    for (const name of ['kupiec', 'christoffersenIndependence', 'conditionalCoverage', 'dynamicQuantile'])
      expect(report[name]).toMatchObject({ statistic: expect.any(Number), pValue: expect.any(Number) });
    expect(report.acerbiSzekely.z2).toMatchObject({
      statistic: expect.any(Number),
      pValue: expect.any(Number),
    });
  });

  test.each([
    ['a number that is none', [row(0, 1), row(1, Number.NaN)], undefined, 'DATA_INVALID', 'line 3: loss'],
    ['a time that falls', [row(1, 1), row(0, 1)], undefined, 'DATA_INVALID', 'line 3: its time'],
    ['a column that is missing', [row(0, 1)], 'time,loss,var,other', 'LAYOUT_UNKNOWN', 'time,loss,var,es'],
    ['no row', [], undefined, 'DATA_INSUFFICIENT', 'no rows'],
    ['an ES below VaR', ['2024-01-01T00:00:00Z,0.1,0.2,0.1'], undefined, 'INPUT_INVALID', 'ES below its VaR'],
  ] as const)('%s is refused by line and reason', async (_, rows, header, errorCode, words) => {
    write(rows, header);
    const { code, stderr } = await plimsoll(['coverage', file]);
    expect(code).toBe(5);
    expect(stderr).toContain(errorCode);
    expect(stderr).toContain(words);
  });
});
