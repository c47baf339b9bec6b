// Assertions about the compute behind the proxy: restarts, deadlines, connections, the pooled host.
import { type Assertion, expectEqual, expectThat, uncheckable } from '../assertion.ts'
import { failureOf, type NeonTarget, rowsOf } from './target.ts'

const sleepSeconds = 16
const atOnce = 30

/** `ep-name-123456-pooler.region.aws.neon.tech`; null for a host that is not Neon's. */
function pooledUrl(url: string): string | null {
  const pooled = new URL(url)
  if (!/^ep-[a-z0-9-]+\..+\.neon\.(tech|build)$/.test(pooled.hostname)) return null
  pooled.hostname = pooled.hostname.replace(/^(ep-[a-z0-9-]+?)(-pooler)?\./, '$1-pooler.')
  return pooled.href
}

export const computeAssertions: readonly Assertion<NeonTarget>[] = [
  {
    name: 'neon/restart-empties-unlogged-tables',
    promise: 'A restart of the compute empties unlogged tables and keeps logged ones.',
    source: 'https://neon.com/docs/reference/compatibility; neondatabase/neon test_runner/regress/test_unlogged.py',
    certainty: 'sure',
    async check(target) {
      const { controls } = target
      if (controls === null) throw uncheckable('a restart needs the console of Neon')
      const { schema } = target
      await target.rows(`create unlogged table ${schema}.unlogged_rows as select 1 as n`)
      await target.rows(`create table ${schema}.logged_rows as select 1 as n`)
      await controls.restart()
      expectEqual('unlogged', await target.rows(`select n from ${schema}.unlogged_rows`), [])
      expectEqual('logged', await target.rows(`select n from ${schema}.logged_rows`), [{ n: 1 }])
    },
  },
  {
    name: 'neon/no-deadline-of-the-proxy',
    promise: `The proxy sets no deadline of 15 s: a statement of ${sleepSeconds} s ends.`,
    source: 'neondatabase/neon proxy/src/bin/proxy.rs (sql_over_http_timeout is read nowhere)',
    certainty: 'sure',
    isSlow: true,
    async check(target) {
      const answer = await target.ask({ send: { query: `select 'done' as end, pg_sleep(${sleepSeconds})` } })
      expectEqual('end', rowsOf(answer)[0]?.['end'], 'done')
    },
  },
  {
    name: 'neon/many-requests-at-once',
    promise: `${atOnce} requests at once are all answered: beyond its 20 pooled connections the proxy opens more.`,
    source: 'neondatabase/neon proxy/src/bin/proxy.rs (sql_over_http_pool_max_conns_per_endpoint)',
    certainty: 'sure',
    async check(target) {
      const send = { query: "select 'here' as who, pg_sleep(0.2)" }
      const answers = await Promise.all(Array.from({ length: atOnce }, () => target.ask({ send })))
      const failed = answers.filter(({ status }) => status !== 200).map((answer) => failureOf(answer))
      expectEqual('failures', failed, [])
    },
  },
  {
    name: 'neon/enough-connections',
    promise: 'The smallest compute allows at least 100 connections.',
    source: 'https://neon.com/docs/connect/connection-pooling',
    certainty: 'likely',
    async check(target) {
      const [row] = await target.rows("select current_setting('max_connections')::int as most")
      expectThat('at least 100', Number(row?.['most']) >= 100, row)
    },
  },
  {
    name: 'neon/pooled-host',
    promise: 'The pooled host serves SQL over HTTP for the same login.',
    source: 'https://neon.com/docs/connect/connection-pooling',
    certainty: 'likely',
    async check(target) {
      const url = pooledUrl(target.url)
      if (url === null) throw uncheckable('this host has no pooled twin')
      const send = [{ query: "select set_config('app.conformance', 'x', true) as seen" }]
      expectEqual('status', (await target.ask({ send, url })).status, 200)
    },
  },
]
