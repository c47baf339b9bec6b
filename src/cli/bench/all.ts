// The benchmarks by name. Each is imported when it runs, because most import half of the project.
import type { Benchmark } from './result.ts'

export interface Listed {
  /** What it measures, in one line. */
  readonly summary: string
  readonly load: () => Promise<Benchmark>
}

export const benchmarks: Readonly<Record<string, Listed>> = {
  commit: {
    summary: 'the commit of 500, 5,000 and 50,000 new transactions against COPY into the same table',
    load: async () => (await import('./commit.ts')).commitBenchmark,
  },
  audit: {
    summary: 'what the audit trail adds to the commit of 500 new transactions',
    load: async () => (await import('./audit.ts')).auditBenchmark,
  },
  events: {
    summary: 'what events add to the commit of 500 new transactions, with an endpoint and with none',
    load: async () => (await import('./events.ts')).eventsBenchmark,
  },
  feed: {
    summary:
      'what the triggers of the feed add to the commit of 500 transactions, new ones and ones that are stored already',
    load: async () => (await import('./feed.ts')).feedBenchmark,
  },
  rules: {
    summary: 'what 100 rules of a user add to the commit of 500 new transactions',
    load: async () => (await import('./rules.ts')).rulesBenchmark,
  },
  'entity-tags': {
    summary:
      'a 304 against a list of 100 and of 500, a list for an old tag, and what the read of the counter adds to a list',
    load: async () => (await import('./entity-tags.ts')).entityTagsBenchmark,
  },
  'row-by-row': {
    summary: 'the commit of a page against an upsert and a round trip for each of its rows',
    load: async () => (await import('./row-by-row.ts')).rowByRowBenchmark,
  },
  resync: {
    summary: 'the commit of transactions that are stored already, against that of new ones, and what it leaves behind',
    load: async () => (await import('./resync.ts')).resyncBenchmark,
  },
  statements: {
    summary: 'statements of a commit of 5,000 transactions against those of a commit of one',
    load: async () => (await import('./statements.ts')).statementsBenchmark,
  },
  'sync-requests': {
    summary: 'subrequests of a sync of two, ten and twenty pages, one message an invocation',
    load: async () => (await import('./sync-requests.ts')).syncRequestsBenchmark,
  },
  'sync-heap': {
    summary: "peak of the isolate's heap in a first sync of 50,000 transactions, against the quota of 128 MB",
    load: async () => (await import('./sync-heap.ts')).syncHeapBenchmark,
  },
  'export-heap': {
    summary:
      "what is live in the isolate's heap in an export of 200,000 transactions, against the quota of 128 MB, and its rate",
    load: async () => (await import('./export-heap.ts')).exportHeapBenchmark,
  },
  'first-sync': {
    summary:
      'time from the exchange of a public token to 2,000 stored transactions, with the queue and webhooks of ' +
      '`wrangler dev`. BENCH_AGAINST names the built module of another version to compare with, turn about',
    load: async () => (await import('./first-sync.ts')).firstSyncBenchmark,
  },
  'page-depth': {
    summary: 'pages of a user with 100,000 transactions: depth, limits 1, 100 and 500, and each filter',
    load: async () => (await import('./page-depth.ts')).pageDepthBenchmark,
  },
  'table-size': {
    summary: 'a page, a commit, a sweep and a purge in a small table and in a large one (--rows)',
    load: async () => (await import('./table-size.ts')).tableSizeBenchmark,
  },
  retention: {
    summary:
      'deletion of a million old webhooks, of a million old runs, and of a million old transactions with their entries in the change feed',
    load: async () => (await import('./retention.ts')).retentionBenchmark,
  },
  backup: {
    summary:
      'a backup of a million transactions by the command and by the Worker, against `pg_dump -Fc`: rows a second and memory. ' +
      'Runs on the server of BENCH_DATABASE_URL, which pg_dump must not be older than: ' +
      '`.ci/stock-postgres --run npm run bench -- --only backup`',
    load: async () => (await import('./backup.ts')).backupBenchmark,
  },
  'rate-limit': {
    summary:
      'processor time, user and system, of a plain workerd for a request with limits by address and by user, less what ' +
      'the same build uses for it without: two calls of Durable Objects that are awake, and two commits to SQLite on ' +
      'the disk of the temporary folder. Quotas are raised in both, so that the same clients can continue',
    load: async () => (await import('./rate-limit.ts')).rateLimitBenchmark,
  },
  'busy-user': {
    summary: "a user's click alone, and while one user with 100 items asks to sync without a pause",
    load: async () => (await import('./busy-user.ts')).busyUserBenchmark,
  },
  console: {
    summary:
      'pages of the console on the local stack, in Chromium: first contentful paint and layout shift of a full load, ' +
      'against the static page /docs',
    load: async () => (await import('./console.ts')).consoleBenchmark,
  },
  scheduling: {
    summary: 'a simulated day of 100,000 items under Plaid’s limits: busiest minutes, waits and freshness',
    load: async () => (await import('./scheduling.ts')).schedulingBenchmark,
  },
}
