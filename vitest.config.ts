import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'src/**/*.test.ts',
      'data/**/*.test.ts',
      'training/**/*.test.ts',
      'models/**/*.test.ts',
      'test/**/*.test.ts',
      'web/**/*.test.ts',
    ],
    globalSetup: 'test/built-console.ts',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
