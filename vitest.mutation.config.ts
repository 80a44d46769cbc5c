import { defineConfig } from 'vitest/config';

/** The tests of one room of src/risk kill its mutants, or those of the files that are in none: stryker.config.mjs. */
const room = process.env.MUTATION_ROOM ?? '**';

export default defineConfig({
  plugins: [
    {
      name: 'coverage-in-the-first-run-only',
      enforce: 'pre',
      // Stryker counts every expression that runs, though only its first run needs the counts.
      transform: (code) =>
        code.replace('function cover() {', 'function cover() { if (ns.activeMutant !== undefined) return;'),
    },
  ],
  test: {
    include: [room === 'none' ? 'src/risk/*.test.ts' : `src/risk/${room}/**/*.test.ts`],
    // Years of real markets take seconds for every mutant that they reach, and notice little that the other tests do not.
    exclude: ['src/risk/**/real-*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
