// The four places where tests run: pure logic in Node, the platform's parts in workerd, the built bundle over HTTP,
// and the simulator against Plaid's own description (only by `test:contract`).
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { workerBindings } from './support/bindings.ts'
import { LongestFirst } from './support/longest-first.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

export default defineConfig({
  root,
  test: {
    // At the root: inside the project with the plugin, npm's packages would be resolved for a browser.
    globalSetup: ['./test/support/global-setup.ts'],
    // Tests wait for a database, a bank or a process a good part of their time, so one more file runs than there are cores.
    maxWorkers: Math.min(availableParallelism() + 1, 8),
    sequence: { sequencer: LongestFirst },
    coverage: {
      provider: 'istanbul',
      include: ['src/**/*.ts'],
      // Merged by `test:coverage` with what the built bundle counts.
      reporter: ['json'],
      reportsDirectory: './coverage/tests',
      reportOnFailure: true,
    },
    projects: [
      {
        root,
        test: {
          name: 'unit',
          environment: 'node',
          // One process for many files: starting one costs more than most of them.
          isolate: false,
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 20_000,
          // Some start a server first.
          hookTimeout: 60_000,
        },
      },
      {
        root,
        plugins: [
          cloudflareTest(async ({ inject }) => ({
            main: './src/worker.ts',
            wrangler: { configPath: './wrangler.toml' },
            miniflare: { cf: false, bindings: await workerBindings(inject('control')) },
          })),
        ],
        test: {
          name: 'worker',
          isolate: false,
          include: ['test/worker/**/*.test.ts'],
          setupFiles: ['./test/support/say-reasons.ts'],
          // A test that ends an isolate at each call of a use case takes half a minute on a busy machine.
          testTimeout: 120_000,
        },
      },
      {
        root,
        test: {
          name: 'e2e',
          environment: 'node',
          isolate: false,
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        root,
        test: {
          name: 'contract',
          environment: 'node',
          include: ['test/contract/**/*.test.ts'],
          // Its vectors are not part of this repository: WYCHEPROOF names their folder.
          exclude: process.env['WYCHEPROOF'] ? [] : ['test/contract/wycheproof.test.ts'],
          testTimeout: 120_000,
        },
      },
    ],
  },
})
