// The test projects: pure code in Node, the Worker's parts in workerd, the built bundle over HTTP, and, only with
// `test:contract`, the simulator against Plaid's own description and the cryptography against Wycheproof's vectors, in
// Node and in workerd.
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { workerBindings } from './support/bindings.ts'
import { LongestFirst } from './support/longest-first.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const wycheproof = 'test/contract/wycheproof.test.ts'
/** The vectors are not part of this repository; WYCHEPROOF names their folder. */
const withoutVectors = process.env['WYCHEPROOF'] ? [] : [wycheproof]

export default defineConfig({
  root,
  test: {
    // Not in the project with the plugin, where npm's packages would be resolved for a browser.
    globalSetup: ['./test/support/global-setup.ts'],
    // Tests often wait for a database, a simulator or a process, so one more file than there are cores runs.
    maxWorkers: Math.min(availableParallelism() + 1, 8),
    sequence: { sequencer: LongestFirst },
    coverage: {
      provider: 'istanbul',
      include: ['src/**/*.ts'],
      // `test:coverage` merges it with the coverage of the built bundle.
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
          // Files share a process, because starting one takes longer than most files.
          isolate: false,
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 20_000,
          // Some hooks start a server.
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
          // Some make many rows first.
          hookTimeout: 60_000,
        },
      },
      {
        root,
        test: {
          name: 'e2e',
          environment: 'node',
          isolate: false,
          include: ['test/e2e/**/*.test.ts'],
          // Take long, and no part of them stands alone: CI runs them, and `PROOFS=all`.
          exclude:
            process.env['PROOFS'] === 'all'
              ? []
              : ['compromise', 'recovery'].map((name) => `test/e2e/${name}-drill.test.ts`),
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
          exclude: withoutVectors,
          globalSetup: ['./test/contract/provide-wycheproof.ts'],
          provide: { runtime: `Node.js/${process.versions.node.split('.')[0]}` },
          testTimeout: 120_000,
        },
      },
      {
        root,
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' }, miniflare: { cf: false } })],
        test: {
          name: 'contract-worker',
          include: [wycheproof],
          exclude: withoutVectors,
          globalSetup: ['./test/contract/provide-wycheproof.ts'],
          provide: { runtime: 'Cloudflare-Workers' },
          testTimeout: 120_000,
        },
      },
    ],
  },
})
