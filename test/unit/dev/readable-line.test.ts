import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { createJsonPrint } from '../../../src/dev/lib/output.ts'
import { readableLine } from '../../../src/dev/lib/readable-line.ts'

const base = { time: '2026-11-30T00:00:00.000Z', level: 'info' }

test('a log event is printed as one readable line', () => {
  const event = { event: 'http_request', request_id: 'r1', method: 'GET', route: '/api/v1/accounts', status: 200 }
  expect(readableLine(JSON.stringify({ ...base, ...event, duration_ms: 12, reason: 'no such row' }))).toBe(
    'http_request GET /api/v1/accounts 200 12ms request_id=r1 reason="no such row"',
  )
})

test('an error is its name, its message and the place where it was thrown', () => {
  const error = { name: 'TypeError', message: 'x is\nnot a function', stack: ['at a (worker.js:1:2)', 'at b'] }
  expect(readableLine(JSON.stringify({ ...base, event: 'job_failed', job: 'sweep', error }))).toBe(
    'job_failed sweep TypeError: x is not a function (at a (worker.js:1:2))',
  )
})

test.each(['READY', '{"a":1}', '{', ''])('the line %j is no event and stays as it is', (line) => {
  expect(readableLine(line)).toBe(line)
})

test('every line is a JSON object with LOG=json, and an event of the Worker stays as it is', () => {
  const lines: string[] = []
  const print = createJsonPrint(new Writable({ write: (chunk, _, done) => done(void lines.push(String(chunk))) }))
  const event = JSON.stringify({ ...base, event: 'sweep', count: 1 })
  print('worker', event)
  print('postgres', 'ready on port 1', 'warn')
  expect(lines[0]).toBe(`${event}\n`)
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({
    level: 'warn',
    event: 'stack',
    part: 'postgres',
    message: 'ready on port 1',
  })
})
