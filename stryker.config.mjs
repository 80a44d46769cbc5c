// Mutation testing of src/risk; docs/mutation-testing.md has how it is run, its scores and what its survivors mean.

/** One room of src/risk, as in MUTATION_ROOM=tail npm run mutation, or `none` for the files in no room; all of them without it. */
const room = process.env.MUTATION_ROOM ?? '**';
/** Test files instead of all tests of the room; their names are in that of the report, so that runs side by side have one each. */
const tests = (process.env.MUTATION_TESTS ?? '').split(',').filter((file) => file !== '');
const names = tests.map((file) => file.replace(/^.*\/|\.test\.ts$/g, ''));
const report = `.mutation/${[process.env.MUTATION_ROOM ?? 'all', ...names].join('+')}`;

export default {
  mutate: [
    room === 'none' ? 'src/risk/*.ts' : `src/risk/${room}/**/*.ts`,
    '!src/risk/**/{*.test,*.fixture,test-*}.ts',
  ],
  // Texts are for people; the tests look at codes.
  mutator: { excludedMutations: ['StringLiteral'] },
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'vitest.mutation.config.ts', related: false },
  coverageAnalysis: 'perTest',
  concurrency: 1,
  // The times that the factor applies to are those of the first run, which counts coverage and is about ten times as slow.
  timeoutMS: 1000,
  timeoutFactor: 0.2,
  dryRunTimeoutMinutes: 30,
  // Stryker would rewrite tsconfig.json through an interface that TypeScript 7 no longer has; Vitest does not need it rewritten.
  tsconfigFile: 'none',
  ignorePatterns: ['/dist', '/var', '/coverage', '/.mutation'],
  tempDirName: '.mutation/sandbox',
  incremental: true,
  incrementalFile: `${report}.incremental.json`,
  reporters: ['clear-text', 'json', 'html'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `${report}.json` },
  htmlReporter: { fileName: `${report}.html` },
  thresholds: { high: 90, low: 80, break: 70 },
  disableTypeChecks: false,
  warnings: { slow: false },
};
