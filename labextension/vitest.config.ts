import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'jsdom',
    include: ['tests/**/*.test.ts'],
    setupFiles: ['tests/setup.ts'],
    restoreMocks: true,
    // Milliseconds: no test waits for a clock, but machines that do much else are slow.
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
});
