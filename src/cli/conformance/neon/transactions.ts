// Assertions: a batch is one transaction with the isolation level of its headers, and a request leaves no session
// state.
import { setTimeout as delay } from 'node:timers/promises'
import { type Assertion, expectEqual, expectThat } from '../assertion.ts'
import { batchRowsOf, failureOf, type NeonTarget } from './target.ts'

const proxy = 'neondatabase/neon proxy/src/serverless/sql_over_http.rs'
const abortAfterMs = 500
const cancelWithinMs = 10_000

/** Sends a request and disconnects before the response. */
async function sendAndLeave(target: NeonTarget, send: readonly { query: string }[]): Promise<void> {
  const answer = target.ask({ send, signal: AbortSignal.timeout(abortAfterMs) })
  const left = await answer.then(
    () => false,
    () => true,
  )
  expectThat('the client leaves before the response', left, 'a response')
}

async function untilNone(target: NeonTarget, query: string): Promise<number> {
  const deadline = performance.now() + cancelWithinMs
  for (;;) {
    const count = Number((await target.rows(query))[0]?.['count'])
    if (count === 0 || performance.now() > deadline) return count
    await delay(100)
  }
}

export const transactionAssertions: readonly Assertion<NeonTarget>[] = [
  {
    name: 'neon/batch-is-one-transaction',
    promise: 'The statements of a batch run in order in one transaction.',
    source: proxy,
    certainty: 'sure',
    async check(target) {
      const query = 'select pg_current_xact_id()::text as id, transaction_timestamp()::text as at'
      const [first, second] = batchRowsOf(await target.ask({ send: [{ query }, { query }] }))
      expectThat('two results', first !== undefined && second !== undefined, [first, second])
      expectEqual('transaction', second, first)
    },
  },
  {
    name: 'neon/batch-rolls-back',
    promise: 'A batch of which one statement fails leaves nothing.',
    source: proxy,
    certainty: 'sure',
    async check(target) {
      const table = `${target.schema}.rolled_back`
      await target.rows(`create table ${table} (n int)`)
      const insert = { query: `insert into ${table} values (1)` }
      const failed = failureOf(await target.ask({ send: [insert, { query: 'select 1 / 0' }, insert] }))
      expectEqual('status and code', [failed.status, failed.code], [400, '22012'])
      expectEqual('rows', await target.rows(`select n from ${table}`), [])
    },
  },
  {
    name: 'neon/isolation-headers',
    promise: 'Neon-Batch-Isolation-Level, -Read-Only and -Deferrable hold for the batch.',
    source: proxy,
    certainty: 'sure',
    async check(target) {
      const headers = {
        'neon-batch-isolation-level': 'Serializable',
        'neon-batch-read-only': 'true',
        'neon-batch-deferrable': 'true',
      }
      const setting = (name: string) => `current_setting('transaction_${name}')`
      const query = `select ${['isolation', 'read_only', 'deferrable'].map(setting).join(" || ' ' || ")} as seen`
      const [rows] = batchRowsOf(await target.ask({ send: [{ query }], headers }))
      expectEqual('settings', rows, [{ seen: 'serializable on on' }])
    },
  },
  {
    name: 'neon/read-only-batch-refuses-writes',
    promise: 'A write in a read-only batch is refused with 25006.',
    source: proxy,
    certainty: 'sure',
    async check(target) {
      const send = [{ query: `create table ${target.schema}.never (n int)` }]
      const { status, code } = failureOf(await target.ask({ send, headers: { 'neon-batch-read-only': 'true' } }))
      expectEqual('status and code', [status, code], [400, '25006'])
    },
  },
  {
    name: 'neon/unknown-isolation-refused',
    promise: 'An unknown isolation level is HTTP 400.',
    source: proxy,
    certainty: 'sure',
    async check(target) {
      const headers = { 'neon-batch-isolation-level': 'Chaos' }
      expectEqual('status', (await target.ask({ send: [{ query: 'select 1' }], headers })).status, 400)
    },
  },
  {
    name: 'neon/set-config-is-local',
    promise: '`set_config(…, true)` holds for its batch and is gone in the next request.',
    source: 'https://www.postgresql.org/docs/17/functions-admin.html',
    certainty: 'sure',
    async check(target) {
      const read = { query: "select coalesce(current_setting('app.conformance', true), '') as seen" }
      const set = { query: "select set_config('app.conformance', 'ada', true)" }
      const [, inside] = batchRowsOf(await target.ask({ send: [set, read] }))
      expectEqual('inside', inside, [{ seen: 'ada' }])
      for (let request = 0; request < 5; request++)
        expectEqual('afterwards', await target.rows(read.query), [{ seen: '' }])
    },
  },
  {
    name: 'neon/session-is-reset',
    promise: 'What a request sets for its session is not seen by a later request on the same pooled connection.',
    source: 'neondatabase/neon proxy/src/serverless/conn_pool_lib.rs',
    certainty: 'likely',
    async check(target) {
      await target.rows("select set_config('app.conformance_session', 'ada', false)")
      const read = "select coalesce(current_setting('app.conformance_session', true), '') as seen"
      for (let request = 0; request < 5; request++) expectEqual('afterwards', await target.rows(read), [{ seen: '' }])
    },
  },
  {
    name: 'neon/disconnect-cancels',
    promise: 'A client that disconnects cancels its statement.',
    source: 'neondatabase/neon proxy/src/serverless/mod.rs (CancellationToken)',
    certainty: 'sure',
    async check(target) {
      const marker = `${target.schema}_left`
      await sendAndLeave(target, [{ query: `select pg_sleep(60) as ${marker}` }])
      const running = `select count(*)::int as count from pg_stat_activity
        where state = 'active' and query like '%pg_sleep(60) as ${marker}' and pid <> pg_backend_pid()`
      expectEqual('running statements', await untilNone(target, running), 0)
    },
  },
  {
    name: 'neon/disconnect-rolls-back',
    promise: 'A batch whose client disconnects before its end leaves nothing.',
    source: 'neondatabase/neon proxy/src/serverless/mod.rs (CancellationToken)',
    certainty: 'sure',
    async check(target) {
      const table = `${target.schema}.left_alone`
      await target.rows(`create table ${table} (n int)`)
      await sendAndLeave(target, [{ query: `insert into ${table} values (1)` }, { query: 'select pg_sleep(3)' }])
      await delay(3_500)
      expectEqual('rows', await target.rows(`select n from ${table}`), [])
    },
  },
]
