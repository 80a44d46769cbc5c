import { defineConfig } from 'vitest/config';

/** Tests in a real browser, apart from the others: they need Chromium on the machine. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.browser.ts'],
    globalSetup: 'test/built-console.ts',
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
