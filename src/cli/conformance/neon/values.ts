// Assertions about values in both directions: text, arrays, nulls, numbers with every digit.
import { type Assertion, expectEqual, expectThat } from '../assertion.ts'
import { type NeonTarget, rowsOf } from './target.ts'

const proxy = 'neondatabase/neon proxy/src/serverless/json.rs'
const raw = { 'neon-raw-text-output': 'true' }
const values =
  "select 123456789012345678.10::numeric as n, 9007199254740993::int8 as b, 7::int4 as i, true as t, '2026-02-28'::date as d, " +
  `'{"a": 1.10}'::jsonb as j, null::text as x`

export const valueAssertions: readonly Assertion<NeonTarget>[] = [
  {
    name: 'neon/raw-text',
    promise: "With Neon-Raw-Text-Output every value is PostgreSQL's own text: no digit of a numeric or int8 is lost.",
    source: proxy,
    certainty: 'sure',
    async check(target) {
      const rows = rowsOf(await target.ask({ send: { query: values }, headers: raw }))
      const text = { n: '123456789012345678.10', b: '9007199254740993', i: '7', t: 't', d: '2026-02-28' }
      expectEqual('row', rows, [{ ...text, j: '{"a": 1.10}', x: null }])
    },
  },
  {
    name: 'neon/json-values',
    promise: 'Without it int4 and bool are JSON values, jsonb is parsed, and numeric, int8 and date stay text.',
    source: proxy,
    certainty: 'sure',
    async check(target) {
      const rows = rowsOf(await target.ask({ send: { query: values } }))
      const text = { n: '123456789012345678.10', b: '9007199254740993', d: '2026-02-28' }
      expectEqual('row', rows, [{ ...text, i: 7, t: true, j: { a: 1.1 }, x: null }])
    },
  },
  {
    name: 'neon/array-mode',
    promise: 'With Neon-Array-Mode rows are arrays, and `fields` names each column and its type.',
    source: proxy,
    certainty: 'sure',
    async check(target) {
      const headers = { ...raw, 'neon-array-mode': 'true' }
      const { body } = await target.ask({ send: { query: 'select 1::int4 as one, 2::int8 as one' }, headers })
      const text = JSON.stringify(body)
      expectThat('rows are arrays', text.includes('"rows":[["1","2"]]'), body)
      expectThat('fields hold the types', text.includes('"dataTypeID":23') && text.includes('"dataTypeID":20'), body)
    },
  },
  {
    name: 'neon/text-parameters',
    promise: 'Parameters are text: numbers, nulls, arrays and JSON documents arrive as they were written.',
    source: proxy,
    certainty: 'sure',
    async check(target) {
      const query = 'select $1::numeric::text as n, $2::text as x, ($3::text[])[2] as a, $4::jsonb ->> 0 as j'
      const rows = await target.rows(query, ['0.10', null, '{one,"t,w o"}', '["ü😀"]'])
      expectEqual('row', rows, [{ n: '0.10', x: null, a: 't,w o', j: 'ü😀' }])
    },
  },
  {
    name: 'neon/command-and-count',
    promise: 'A response has the command tag and the number of rows it concerned.',
    source: 'neondatabase/neon proxy/src/serverless/sql_over_http.rs',
    certainty: 'sure',
    async check(target) {
      await target.rows(`create table ${target.schema}.counted as select generate_series(1, 5) as n`)
      const { body } = await target.ask({ send: { query: `delete from ${target.schema}.counted where n > 2` } })
      const seen = Object.entries(body ?? {}).filter(([key]) => key === 'command' || key === 'rowCount')
      expectEqual('answer', Object.fromEntries(seen), { command: 'DELETE', rowCount: 3 })
    },
  },
  {
    name: 'neon/five-megabytes',
    promise: 'A request of 5 MB and a response of 5 MB are accepted.',
    source: 'neondatabase/neon proxy/src/bin/proxy.rs (sql_over_http_max_request_size_bytes)',
    certainty: 'sure',
    async check(target) {
      const text = 'x'.repeat(5_000_000)
      const answer = await target.ask({ send: { query: 'select $1::text as text', params: [text] } })
      expectEqual('status', answer.status, 200)
      expectEqual('length', String(rowsOf(answer)[0]?.['text']).length, text.length)
    },
  },
  {
    name: 'neon/request-too-large',
    promise: 'A request of 70 MB is refused: with 413, or by closing the connection before it is sent.',
    source: 'neondatabase/neon proxy/src/serverless/error.rs',
    certainty: 'likely',
    isSlow: true,
    async check(target) {
      const params = ['x'.repeat(70 * 1024 * 1024)]
      const seen = await target.ask({ send: { query: 'select length($1)', params } }).then(
        ({ status }) => String(status),
        () => 'connection closed',
      )
      expectThat('a refusal', seen === '413' || seen === 'connection closed', seen)
      return seen
    },
  },
  {
    name: 'neon/answer-too-large',
    promise: 'A response of 70 MB is refused with 507.',
    source: 'neondatabase/neon proxy/src/serverless/sql_over_http.rs',
    certainty: 'likely',
    isSlow: true,
    async check(target) {
      const query = "select repeat('x', 1048576) as text from generate_series(1, 70)"
      expectEqual('status', (await target.ask({ send: { query } })).status, 507)
    },
  },
]
