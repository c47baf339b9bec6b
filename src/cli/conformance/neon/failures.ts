// Assertions about how Neon's proxy reports failures: the statuses, SQLSTATEs and fields that src/db reads.
import { setTimeout as delay } from 'node:timers/promises'
import { type Assertion, expectEqual, expectThat, uncheckable } from '../assertion.ts'
import { failureOf, type NeonTarget } from './target.ts'

const proxy = 'neondatabase/neon proxy/src/serverless/sql_over_http.rs'
/** PostgreSQL's error classes of a refused statement. */
const refusedClasses = new Set(['22', '23', '42'])

async function lastWords(target: NeonTarget, query: string) {
  return failureOf(await target.ask({ send: { query } }))
}

export const failureAssertions: readonly Assertion<NeonTarget>[] = [
  {
    name: 'neon/statement-error',
    promise: "A statement's error is HTTP 400 with the SQLSTATE in `code`, and names the constraint.",
    source: proxy,
    certainty: 'sure',
    async check(target) {
      await target.rows(`create table ${target.schema}.named (id int constraint named_key primary key)`)
      const insert = `insert into ${target.schema}.named values (1)`
      await target.rows(insert)
      const answer = await target.ask({ send: { query: insert } })
      const { status, code } = failureOf(answer)
      expectEqual('status and code', [status, code], [400, '23505'])
      const seen = Object.entries(answer.body ?? {}).filter(([key]) =>
        ['constraint', 'table', 'severity'].includes(key),
      )
      const expected = { constraint: 'named_key', table: 'named', severity: 'ERROR' }
      expectEqual('fields', Object.fromEntries(seen), expected)
    },
  },
  {
    name: 'neon/connection-terminated',
    promise: 'A connection that the server ends is HTTP 400; `code` is empty or of class 57, never a refusal.',
    source: proxy,
    certainty: 'likely',
    async check(target) {
      const { status, code } = await lastWords(target, 'select pg_terminate_backend(pg_backend_pid())')
      expectEqual('status', status, 400)
      expectThat('code is empty or of class 57', code === '' || code?.startsWith('57') === true, code)
      return code === '' ? 'empty code' : String(code)
    },
  },
  {
    name: 'neon/connection-lost',
    promise: 'A connection that breaks while a statement runs is HTTP 400 with an empty `code`.',
    source: proxy,
    certainty: 'sure',
    async check(target) {
      const { controls } = target
      if (controls === null)
        throw uncheckable('nothing but a restart of the compute breaks a connection without a word')
      const running = lastWords(target, 'select pg_sleep(20)')
      await delay(500)
      await controls.restart()
      const { status, code } = await running
      expectEqual('status and code', [status, code], [400, ''])
    },
  },
  {
    name: 'neon/next-request-after-termination',
    promise: 'A request after a lost connection gets a new connection and works.',
    source: proxy,
    certainty: 'sure',
    async check(target) {
      await lastWords(target, 'select pg_terminate_backend(pg_backend_pid())')
      expectEqual('rows', await target.rows('select 1 as one'), [{ one: 1 }])
    },
  },
  {
    name: 'neon/wrong-password',
    promise: 'A wrong password is HTTP 400, and its `code` is no refusal of a statement.',
    source: proxy,
    certainty: 'sure',
    async check(target) {
      const url = new URL(target.url)
      url.password = 'wrong'
      const { status, code } = failureOf(await target.ask({ send: { query: 'select 1' }, url: url.href }))
      expectEqual('status', status, 400)
      expectThat('code is no refusal', code !== null && !refusedClasses.has(code.slice(0, 2)), code)
    },
  },
  {
    name: 'neon/connection-string-required',
    promise: 'A request without a usable Neon-Connection-String is HTTP 400.',
    source: 'neondatabase/neon proxy/src/serverless/http_util.rs',
    certainty: 'sure',
    async check(target) {
      const headers = { 'neon-connection-string': 'nonsense' }
      expectEqual('status', (await target.post('{"query":"select 1","params":[]}', headers)).status, 400)
    },
  },
  {
    name: 'neon/one-statement-a-query',
    promise: 'A query that holds two statements is refused with 42601.',
    source: 'neondatabase/neon libs/proxy/postgres-protocol2 (extended protocol)',
    certainty: 'sure',
    async check(target) {
      const { status, code } = await lastWords(target, 'select 1; select 2')
      expectEqual('status and code', [status, code], [400, '42601'])
    },
  },
  {
    name: 'neon/lone-surrogate-refused',
    promise: 'Half of a surrogate pair in a parameter is HTTP 400; it never reaches the database.',
    source: 'serde_json (the proxy parses bodies with it)',
    certainty: 'sure',
    async check(target) {
      const answer = await target.post(String.raw`{"query":"select $1::text","params":["\ud800"]}`)
      expectEqual('status', answer.status, 400)
    },
  },
  {
    name: 'neon/nul-refused',
    promise: 'A NUL character in a parameter is HTTP 400.',
    source: 'https://www.postgresql.org/docs/17/datatype-character.html',
    certainty: 'sure',
    async check(target) {
      const answer = await target.post(String.raw`{"query":"select $1::text","params":["a\u0000b"]}`)
      expectEqual('status', answer.status, 400)
    },
  },
  {
    name: 'neon/request-id',
    promise: 'Every response has a neon-request-id header with a UUID.',
    source: 'neondatabase/neon proxy/src/serverless/mod.rs',
    certainty: 'likely',
    async check(target) {
      for (const query of ['select 1', 'select no_such_column']) {
        const { headers } = await target.ask({ send: { query } })
        const id = headers.get('neon-request-id')
        expectThat('a UUID', /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(id ?? ''), id)
      }
    },
  },
]
