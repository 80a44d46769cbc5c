import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { files, isForTests, production, ROOT, sources, textOf } from './repository.ts';

interface Import {
  readonly file: string;
  /** A path from the root for our own files, the package or node: module otherwise. */
  readonly target: string;
  /** Vanishes when the types do: knows a shape, runs nothing. */
  readonly isType: boolean;
}

const imports: readonly Import[] = production.flatMap((file) => {
  const found = [
    ...textOf(file).matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)';/gm),
  ].map(([, type, target]) => ({ target, isType: type !== undefined }));
  const lazy = [...textOf(file).matchAll(/\bimport\('([^']+)'\)/g)].map(([, target]) => ({
    target,
    isType: false,
  }));
  const required = [...textOf(file).matchAll(/\brequire(?:\.resolve)?\('([^']+)'\)/g)].map(([, target]) => ({
    target,
    isType: false,
  }));
  return [...found, ...lazy, ...required].map(({ target, isType }) => ({
    file,
    isType,
    target: target.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), target)) : target,
  }));
});

/** The room of the house that a file is in: a folder under src, a top folder, or the file itself where it stands alone. */
function roomOf(file: string): string {
  const parts = file.split('/');
  if (parts[0] === 'src') return parts.length > 2 ? `src/${parts[1]}` : file;
  return parts[0];
}

/** Small modules of words, numbers and time that any room may use. */
const COMMON = [
  'src/errors.ts',
  'src/units.ts',
  'src/clock.ts',
  'src/spelling.ts',
  'src/random.ts',
  'src/program.ts',
  'src/redaction.ts',
  'src/thread.ts',
];
/** Who may import whom, beside itself and the common ones. Roots are not in it: they wire everything. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'src/risk': [],
  'src/features': ['src/risk'],
  'src/forecast': ['src/features', 'src/risk'],
  'src/limits': [],
  'src/accounts': ['src/limits', 'src/risk'],
  'src/control': ['src/risk', 'src/features', 'src/forecast', 'src/limits', 'src/accounts', 'data/ports.ts'],
  'src/client': ['src/limits', 'src/accounts'],
  'src/http': ['src/control/ports.ts', 'src/control/reads.ts', 'src/limits', 'src/accounts'],
  'src/metrics': ['src/control', 'src/limits', 'src/accounts', 'src/forecast/predictor.ts'],
  data: ['src/risk/bars.ts', 'src/limits', 'src/control/ports.ts'],
  models: ['src/features', 'src/forecast'],
  training: ['src/features', 'src/risk', 'src/forecast', 'src/limits', 'models', 'data/ports.ts'],
};
/** The composition roots: the only files that wire adapters. */
const ROOTS = [
  'src/main.ts',
  'src/supervisor.ts',
  'src/service-log.ts',
  'src/spans.ts',
  'src/cli.ts',
  'src/cli',
  'src/account-worker.ts',
  'src/system-worker.ts',
  'src/decision-worker.ts',
  'src/verification-worker.ts',
  'src/chain-verifier.ts',
  'src/deciding.ts',
  'src/leading.ts',
  'src/opened-store.ts',
  'src/shared-store.ts',
  'src/streams.ts',
  'src/kept-accounts.ts',
  'src/scheduled-training.ts',
  'src/shared-models.ts',
  'src/shared-training.ts',
  'src/training-role.ts',
  'src/training-worker.ts',
  'src/shadow-scoring.ts',
  'src/forecast-watch.ts',
  'src/shadow-worker.ts',
  'src/registry-view.ts',
  'src/model-promotion.ts',
  'training/run.ts',
  'training/child-process.ts',
  'training/window-process.ts',
];
const isRoot = (file: string): boolean => ROOTS.includes(file) || ROOTS.includes(roomOf(file));

describe('the house', () => {
  test('its imports are seen at all: of every kind, and many', () => {
    expect(imports.length).toBeGreaterThan(400);
    expect(imports).toContainEqual({ file: 'src/main.ts', target: 'data/lock.ts', isType: false });
    expect(imports).toContainEqual({
      file: 'src/cli/program.ts',
      target: 'src/cli/verbs/serve.ts',
      isType: false,
    });
    expect(imports).toContainEqual({
      file: 'src/control/control-plane.ts',
      target: 'src/limits/types.ts',
      isType: true,
    });
  });

  test('every room is in the table of who may import whom', () => {
    const rooms = new Set(production.filter((file) => !isRoot(file)).map(roomOf));
    const known = [
      ...Object.keys(ALLOWED),
      ...COMMON,
      'src/config.ts',
      'src/settings.ts',
      'src/policy-file.ts',
    ];
    expect([...rooms].filter((room) => !known.includes(room))).toEqual([]);
  });

  test('data flow one way: no room imports from a room that it may not know', () => {
    const trespasses = imports
      .filter(({ file }) => roomOf(file) in ALLOWED && !isRoot(file))
      .filter(({ target }) => sources.includes(target))
      .filter(({ file, target }) => {
        const room = roomOf(file);
        const allowed = ALLOWED[room];
        return !(
          roomOf(target) === room ||
          COMMON.includes(target) ||
          allowed.includes(roomOf(target)) ||
          allowed.includes(target)
        );
      });
    expect(trespasses.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  test('only composition roots import adapters', () => {
    const adapters = /^data\/(?!ports\.ts)|^src\/config\.ts$/;
    const wrong = imports.filter(
      ({ file, target, isType }) =>
        adapters.test(target) && !isType && roomOf(file) !== 'data' && !isRoot(file),
    );
    expect(wrong.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  test('the pure rooms touch no file, no socket, no thread and no library', () => {
    const pure = ['src/risk', 'src/features', 'src/limits', 'src/accounts'];
    const allowedModules = ['node:crypto'];
    const wrong = imports.filter(
      ({ file, target }) =>
        pure.includes(roomOf(file)) && !sources.includes(target) && !allowedModules.includes(target),
    );
    expect(wrong.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  test('the client runs where there is no Node: nothing that it reaches imports more than our own files', () => {
    const reached = new Set(['src/client/client.ts']);
    for (const file of reached)
      for (const one of imports) if (one.file === file && !one.isType) reached.add(one.target);
    expect(reached.size).toBeGreaterThan(10);
    expect([...reached].filter((target) => !sources.includes(target))).toEqual([]);
  });

  test('the console runs in a browser: two libraries, words and pure parts of our own, and of the routes their shapes alone', () => {
    const own = files.filter((file) => /^web\/src\/.*\.tsx?$/.test(file) && !file.endsWith('.test.ts'));
    const targets = own.flatMap((file) =>
      [...textOf(file).matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)';/gm)].map(
        ([, type, target]) => ({
          isType: type !== undefined,
          target: target.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), target)) : target,
        }),
      ),
    );
    expect(targets.length).toBeGreaterThan(50);
    const allowed =
      /^web\/src\/|^preact(\/hooks)?$|^uplot|^src\/client\/event-stream\.ts$|^src\/limits\/canonical-json\.ts$|^src\/units\.ts$/;
    const shapes = /^src\/http\/[\w-]*(schemas|shape)\.ts$|^zod$/;
    const wrong = targets.filter(
      ({ target, isType }) => !allowed.test(target) && !(isType && shapes.test(target)),
    );
    expect(wrong).toEqual([]);
  });

  test.each([
    ['TF.js', /^@tensorflow\//, ['src/forecast/network.ts', 'training/fit.ts']],
    ['Express', /^express$/, ['src/http/service.ts']],
    ['tokens', /^jose$/, ['src/http/access/identities.ts']],
    [
      'the metrics client',
      /^@prometheus-io\/client$/,
      ['src/metrics/metrics.ts', 'src/metrics/worker-metrics.ts'],
    ],
    ['DuckDB', /^@duckdb\//, ['data/']],
    ['SQLite', /^node:sqlite$/, ['data/']],
    ['PostgreSQL', /^pg$/, ['data/postgres/']],
    ['the queue of jobs', /^pg-boss$/, ['data/postgres/jobs.ts']],
    ['NATS', /^@nats-io\//, ['data/nats/']],
    ['the command parser', /^commander$/, ['src/cli.ts', 'src/cli/']],
  ] as const)('%s is imported in its own place only', (_, library, places) => {
    const users = imports
      .filter(({ target, isType }) => library.test(target) && !isType)
      .map(({ file }) => file);
    expect(users.length).toBeGreaterThan(0);
    expect(users.filter((file) => !places.some((place) => file.startsWith(place)))).toEqual([]);
  });

  test('no import goes round in a circle', () => {
    const graph = new Map<string, string[]>();
    for (const { file, target, isType } of imports)
      if (!isType && sources.includes(target)) graph.set(file, [...(graph.get(file) ?? []), target]);
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): string[] | null => {
      if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
      if (done.has(file)) return null;
      for (const next of graph.get(file) ?? []) {
        const circle = visit(next, [...path, file]);
        if (circle !== null) return circle;
      }
      done.add(file);
      return null;
    };
    for (const file of graph.keys()) expect(visit(file, [])).toBeNull();
  });
});

describe('what only one place may do', () => {
  const bans: readonly [string, RegExp, readonly string[]][] = [
    ['reads the clock', /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/, ['src/clock.ts']],
    ['draws chance', /\bMath\.random\(/, []],
    ['reads the environment', /\bprocess\.env\b/, ['src/config.ts']],
    ['starts a thread', /\bnew Worker\(/, ['src/thread.ts']],
    // The others end one that hangs, or one that calls no addon: one that is ended in a call of DuckDB takes the process with it.
    [
      'ends a thread from outside',
      /\bworker\??\.terminate\(/,
      [
        'src/thread.ts',
        'src/chain-verifier.ts',
        'src/control/accounts/worker-accounts.ts',
        'training/members.ts',
      ],
    ],
  ];
  test.each(bans)('nothing else %s', (_, pattern, places) => {
    const wrong = production.filter((file) => !places.includes(file) && pattern.test(textOf(file)));
    expect(wrong).toEqual([]);
  });

  test('tests draw no chance and read no clock but those that repeat', () => {
    const tests = files.filter(
      (file) => /\.ts$/.test(file) && (isForTests(file) || file.startsWith('test/')),
    );
    const wrong = tests.filter(
      (file) =>
        file !== 'test/architecture.test.ts' &&
        /\bMath\.random\(|\bDate\.now\(|\bnew Date\(\)/.test(textOf(file)),
    );
    expect(wrong).toEqual([]);
  });
});
