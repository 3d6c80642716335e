import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['fake-indexeddb/auto'],
    testTimeout: 90_000,
    hookTimeout: 120_000,
    // Two cores, and one of them is the server's.
    maxWorkers: 2,
  },
});
