import { defineConfig } from 'vitest/config';

/** The tests of one room of src/risk kill its mutants, or those of the files that are in none: stryker.config.mjs. */
const room = process.env.MUTATION_ROOM ?? '**';
/** Paths from src/risk with commas between them: the files whose tests notice the most in the least time, of one file of the room. */
const chosen = (process.env.MUTATION_TESTS ?? '').split(',').filter((file) => file !== '');
const ofRoom = room === 'none' ? '*.test.ts' : `${room}/**/*.test.ts`;

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
    include: (chosen.length > 0 ? chosen : [ofRoom]).map((file) => `src/risk/${file}`),
    // Years of real markets take seconds for every mutant that they reach, and notice little that the other tests do not.
    exclude: ['src/risk/**/real-*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
