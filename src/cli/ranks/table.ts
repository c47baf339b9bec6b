// The architecture as a table: which folder may import which, and which folder may import a package.
// docs/architecture.md explains it.

export interface Unit {
  readonly name: string
  /** Folders and files. A file belongs to the longest path that matches. */
  readonly paths: readonly string[]
}

/** From the lowest to the highest. A unit imports itself and lower units. */
export const ranks: readonly Unit[] = [
  { name: 'data', paths: ['docs/openapi.json', 'migrations/meta/_journal.json'] },
  { name: 'schema', paths: ['drizzle/tables'] },
  {
    name: 'library',
    paths: [
      'body',
      'decimal',
      'errors',
      'exact-json',
      'ip-address',
      'item-status',
      'response-headers',
      'retry',
      'timeout',
    ].map((file) => `src/${file}.ts`),
  },
  { name: 'crypto', paths: ['src/crypto'] },
  { name: 'envelope', paths: ['src/crypto/envelope.ts'] },
  { name: 'config', paths: ['src/config'] },
  { name: 'monitoring', paths: ['src/monitoring'] },
  { name: 'ratelimit', paths: ['src/ratelimit'] },
  { name: 'live sockets', paths: ['src/live'] },
  { name: 'auth', paths: ['src/auth'] },
  { name: 'plaid/rate-limit', paths: ['src/plaid/rate-limit'] },
  { name: 'plaid', paths: ['src/plaid'] },
  { name: 'custody', paths: ['src/custody'] },
  { name: 'db/core', paths: ['src/db/core'] },
  { name: 'db/audit', paths: ['src/db/audit'] },
  { name: 'db/sync', paths: ['src/db/sync'] },
  { name: 'db/operations', paths: ['src/db/operations'] },
  { name: 'db/identity', paths: ['src/db/identity'] },
  { name: 'db/applications', paths: ['src/db/applications'] },
  { name: 'db/records', paths: ['src/db/records'] },
  { name: 'db/items', paths: ['src/db/items'] },
  { name: 'db/events', paths: ['src/db/events'] },
  { name: 'db/privacy', paths: ['src/db/privacy'] },
  { name: 'db/link', paths: ['src/db/link'] },
  { name: 'db/read', paths: ['src/db/read'] },
  { name: 'db/commit', paths: ['src/db/commit.ts'] },
  { name: 'messages', paths: ['src/messages'] },
  { name: 'webhooks/keys', paths: ['src/webhooks/keys'] },
  {
    name: 'identity services',
    paths: ['services', 'mail', 'password', 'scrypt', 'scrypt-turns', 'node-crypto.d'].map(
      (file) => `src/identity/${file}.ts`,
    ),
  },
  {
    name: 'audit signing',
    paths: ['actions', 'keys', 'signed-chain', 'signed-row'].map((file) => `src/audit/${file}.ts`),
  },
  {
    name: 'event transport',
    paths: ['addresses', 'backoff', 'destination', 'resolve', 'send'].map((file) => `src/events/${file}.ts`),
  },
  { name: 'backup bucket', paths: ['src/backup/bucket.ts'] },
  { name: 'context', paths: ['src/context.ts'] },
  { name: 'live', paths: ['src/live/announce.ts'] },
  { name: 'audit', paths: ['src/audit'] },
  { name: 'alarms', paths: ['src/alarms'] },
  { name: 'backup', paths: ['src/backup'] },
  { name: 'keys', paths: ['src/keys'] },
  { name: 'freeze', paths: ['src/freeze'] },
  { name: 'applications', paths: ['src/applications'] },
  { name: 'items', paths: ['src/items'] },
  { name: 'events', paths: ['src/events'] },
  { name: 'sync', paths: ['src/sync'] },
  { name: 'purposes', paths: ['src/privacy/purposes.ts'] },
  { name: 'link', paths: ['src/link'] },
  { name: 'webhooks', paths: ['src/webhooks'] },
  { name: 'identity', paths: ['src/identity'] },
  { name: 'privacy', paths: ['src/privacy'] },
  { name: 'gauges', paths: ['src/gauges'] },
  { name: 'insights', paths: ['src/insights'] },
  { name: 'retention', paths: ['src/retention'] },
  { name: 'services', paths: ['src/services.ts'] },
  { name: 'http', paths: ['src/http'] },
  { name: 'queue', paths: ['src/queue'] },
  { name: 'cron', paths: ['src/cron'] },
  { name: 'run', paths: ['src/isolate.ts', 'src/objects.ts', 'src/run-job.ts'] },
  { name: 'worker', paths: ['src/worker.ts'] },
  { name: 'simulator/bank', paths: ['src/dev/plaid-simulator/bank'] },
  { name: 'simulator/lib', paths: ['src/dev/plaid-simulator/lib'] },
  { name: 'simulator/state', paths: ['src/dev/plaid-simulator/state'] },
  { name: 'simulator/webhooks', paths: ['src/dev/plaid-simulator/webhooks'] },
  { name: 'simulator/items', paths: ['src/dev/plaid-simulator/items'] },
  { name: 'simulator/endpoints', paths: ['src/dev/plaid-simulator/endpoints'] },
  { name: 'simulator/control', paths: ['src/dev/plaid-simulator/control'] },
  { name: 'simulator/link-page', paths: ['src/dev/plaid-simulator/link-page'] },
  { name: 'plaid-simulator', paths: ['src/dev/plaid-simulator'] },
  { name: 'neon-local', paths: ['src/dev/neon-local'] },
  { name: 'dev/reference', paths: ['src/dev/reference'] },
  { name: 'dev/lib', paths: ['src/dev/lib'] },
  { name: 'dev/postgres', paths: ['src/dev/postgres'] },
  { name: 'dev/stack', paths: ['src/dev/stack'] },
  { name: 'cli/lib', paths: ['src/cli/lib'] },
  { name: 'cli/bench', paths: ['src/cli/bench', 'src/cli/bench.ts', 'src/cli/load', 'src/cli/load.ts'] },
  { name: 'cli/demo', paths: ['src/cli/demo', 'src/cli/demo.ts'] },
  { name: 'cli/conformance', paths: ['src/cli/conformance', 'src/cli/conformance.ts'] },
  { name: 'cli/security', paths: ['src/cli/security', 'src/cli/security.ts'] },
  { name: 'cli', paths: ['src/cli'] },
  { name: 'client', paths: ['src/client'] },
  { name: 'react', paths: ['src/react'] },
  { name: 'examples', paths: ['src/examples'] },
  { name: 'console', paths: ['src/console'] },
]

/** Units that import nothing of the project, or only these units. Other units may import every lower one. */
export const onlyImports: Readonly<Record<string, readonly string[]>> = {
  'simulator/bank': [],
  'simulator/lib': ['simulator/bank'],
  'simulator/state': ['simulator/bank', 'simulator/lib'],
  'simulator/webhooks': ['simulator/lib', 'simulator/state'],
  'simulator/items': ['simulator/bank', 'simulator/lib', 'simulator/state', 'simulator/webhooks'],
  'simulator/endpoints': [
    'simulator/bank',
    'simulator/lib',
    'simulator/state',
    'simulator/webhooks',
    'simulator/items',
  ],
  'simulator/control': ['simulator/bank', 'simulator/lib', 'simulator/state', 'simulator/webhooks', 'simulator/items'],
  'simulator/link-page': [
    'simulator/bank',
    'simulator/lib',
    'simulator/state',
    'simulator/items',
    'simulator/endpoints',
    'simulator/control',
  ],
  'plaid-simulator': [
    'simulator/lib',
    'simulator/state',
    'simulator/webhooks',
    'simulator/items',
    'simulator/endpoints',
    'simulator/control',
    'simulator/link-page',
  ],
  'neon-local': [],
  // Packages for applications. They import one another by name, and nothing of the Worker.
  client: [],
  react: [],
  examples: [],
  // Its pages are scripts of a browser.
  console: [],
  'dev/reference': ['data'],
  'dev/lib': ['library', 'dev/reference'],
  'dev/postgres': ['dev/lib'],
  'dev/stack': ['dev/lib', 'dev/postgres', 'neon-local', 'plaid-simulator'],
  monitoring: ['library', 'crypto'],
  ratelimit: ['library', 'crypto', 'monitoring'],
  'live sockets': ['library', 'crypto'],
  auth: ['library', 'crypto'],
  'plaid/rate-limit': ['library'],
  plaid: ['library', 'crypto', 'monitoring', 'plaid/rate-limit'],
  envelope: ['library', 'crypto'],
  custody: ['library', 'crypto', 'envelope', 'monitoring'],
  'db/core': ['data', 'library', 'crypto', 'monitoring', 'schema'],
  queue: [
    'library',
    'db/core',
    'db/sync',
    'db/operations',
    'db/items',
    'db/privacy',
    'monitoring',
    'messages',
    'keys',
    'context',
    'items',
    'events',
    'sync',
    'link',
    'privacy',
  ],
  cron: [
    'library',
    'db/operations',
    'context',
    'alarms',
    'audit',
    'backup',
    'items',
    'events',
    'sync',
    'link',
    'privacy',
    'gauges',
    'retention',
  ],
}

/** Units that do not import one another, in either direction. */
export const separateUnits: readonly string[] = ['cli/bench', 'cli/demo', 'cli/conformance', 'cli/security', 'cli']

/** Units that only these may import: sealed values are written and read in one folder. */
export const onlyImportedBy: Readonly<Record<string, readonly string[]>> = { envelope: ['custody'] }

/**
 * Packages that the Worker may import, and the folders that may import them; all others are refused. Developer tools
 * may import any package.
 */
export const packages: readonly { readonly name: RegExp; readonly paths: readonly string[] }[] = [
  { name: /^zod$/, paths: ['src'] },
  { name: /^openapi-fetch$/, paths: ['src/client'] },
  { name: /^react(?:\/|$)/, paths: ['src/react', 'src/console', 'src/examples'] },
  { name: /^@wealthnavigator\/client$/, paths: ['src/react', 'src/console', 'src/examples'] },
  { name: /^(?:@wealthnavigator\/react|react-dom\/client)$/, paths: ['src/console', 'src/examples'] },
  { name: /^@tanstack\/react-query$/, paths: ['src/console'] },
  { name: /^esbuild$/, paths: ['src/examples'] },
  { name: /^node:(?:fs\/promises|http|sqlite|stream\/consumers|url)$/, paths: ['src/examples'] },
  // Types only.
  { name: /^plaid$/, paths: ['src/plaid'] },
  { name: /^hono(?:\/|$)/, paths: ['src/http'] },
  { name: /^drizzle-orm(?:\/|$)/, paths: ['src/db', 'drizzle/tables'] },
  { name: /^@neondatabase\/serverless$/, paths: ['src/db/core'] },
  { name: /^toucan-js$/, paths: ['src/monitoring/sentry.ts', 'src/monitoring/sentry-event.ts'] },
  { name: /^jose$/, paths: ['src/auth', 'src/webhooks', 'src/privacy'] },
  { name: /^age-encryption$/, paths: ['src/backup'] },
  { name: /^otpauth(?:\/|$)/, paths: ['src/identity'] },
  {
    name: /^node:crypto$/,
    paths: ['src/identity/scrypt.ts', 'src/identity/node-crypto.d.ts', 'src/backup/sha256.ts'],
  },
  {
    name: /^node:async_hooks$/,
    paths: ['src/monitoring/operation.ts', 'src/monitoring/node-async-hooks.d.ts'],
  },
  {
    name: /^cloudflare:workers$/,
    paths: [
      'src/live/object.ts',
      'src/ratelimit/object.ts',
      'src/plaid/rate-limit/object.ts',
      'src/monitoring/metrics/object.ts',
    ],
  },
]

/** Folders that are not deployed. */
export const toolFolders: readonly string[] = ['src/dev', 'src/cli']
