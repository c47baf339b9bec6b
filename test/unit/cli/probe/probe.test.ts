// One sample against servers that respond or do not, and what the samples of a time mean.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Sample, takeSample } from '../../../../src/cli/probe/sample.ts'
import {
  describeSummary,
  meetsTargets,
  parseSamples,
  summarize as summarizeUntil,
} from '../../../../src/cli/probe/summary.ts'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'
import { type Answering, json, startAnswering } from '../../plaid/answering.ts'

let server: Answering
let folder: string
beforeAll(async () => {
  server = await startAnswering()
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-probe-'))
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

const ready = json('{"status":"ready"}')
const token = 'a-token-of-the-test'

describe('a sample of the probe', () => {
  it('is available where /ready is ready', async () => {
    server.answer(ready)
    const at = new Date('2026-11-29T12:00:00Z')
    expect(await takeSample({ url: server.url }, at)).toEqual({
      at: '2026-11-29T12:00:00.000Z',
      up: true,
      ms: expect.any(Number),
      status: 200,
      reason: null,
    })
  })

  it('is available with a read where that is a list', async () => {
    server.answer(ready, json('{"data":[]}'))
    expect(await takeSample({ url: server.url, token })).toMatchObject({ up: true, status: 200 })
    expect(server.asked[1]).toMatchObject({ headers: { authorization: `Bearer ${token}` } })
  })

  it.each([
    ['/ready fails', [json('{}', 503)], { status: 503, reason: '/ready gives 503' }],
    ['/ready is a page of a proxy', [json('<html>')], { status: 200, reason: '/ready gives 200' }],
    ['the read fails', [ready, json('{}', 500)], { status: 500, reason: 'a read gives 500' }],
    ['the read is no list', [ready, json('<html>')], { status: 200, reason: 'a read gives 200' }],
  ])('is not available where %s', async (_what, answers, expected) => {
    server.answer(...answers)
    expect(await takeSample({ url: server.url, token })).toMatchObject({ up: false, ...expected })
  })

  it('is not available where nothing responds, or not in time', async () => {
    expect(await takeSample({ url: 'http://127.0.0.1:9' })).toMatchObject({ up: false, ms: null, status: null })
    server.answer(() => undefined)
    expect(await takeSample({ url: server.url, timeoutMs: 100 })).toMatchObject({
      up: false,
      reason: expect.stringContaining('no response in time'),
    })
  })

  it('keeps the token off plain http, and out of what it says', async () => {
    const seen: (string | undefined)[] = []
    const elsewhere = createServer((request, response) => {
      seen.push(request.headers.authorization)
      response.end('{"status":"ready"}')
    })
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.2', resolve))
    const { port } = elsewhere.address() as AddressInfo
    const sample = await takeSample({ url: `http://127.0.0.2:${port}`, token })
    expect(sample).toMatchObject({ up: false, reason: 'the token is not sent over plain http' })
    expect(seen).toEqual([undefined])
    await new Promise<void>((resolve) => void elsewhere.close(() => resolve()))
    server.answer(ready, (response) => response.destroy())
    expect(JSON.stringify(await takeSample({ url: server.url, token }))).not.toContain(token)
  })
})

const startMs = Date.parse('2026-11-29T12:00:00Z')
const sampleAt = (minute: number, changed: Partial<Sample> = {}): Sample => ({
  at: new Date(startMs + minute * 60_000).toISOString(),
  up: true,
  ms: 100,
  status: 200,
  reason: null,
  ...changed,
})
const minutes = (count: number, changed?: (minute: number) => Partial<Sample> | null): Sample[] =>
  Array.from({ length: count }, (_, minute) => minute).flatMap((minute) => {
    const change = changed === undefined ? {} : changed(minute)
    return change === null ? [] : [sampleAt(minute, change)]
  })
const down = { up: false, ms: null, status: null, reason: 'no response in time' }

/** Until the last sample. */
const summarize = (samples: readonly Sample[], everySeconds: number) =>
  summarizeUntil(samples, everySeconds, new Date(Math.max(0, ...samples.map(({ at }) => Date.parse(at)))))

describe('the summary of the probe', () => {
  it('meets the targets with one failure in a thousand', () => {
    const summary = summarize(
      minutes(1000, (minute) => (minute === 5 ? down : {})),
      60,
    )
    expect(summary).toMatchObject({
      up: 999,
      down: 1,
      missing: 0,
      observedShare: 0.999,
      leastShare: 0.999,
      meanMs: 100,
    })
    expect(meetsTargets(summary)).toBe(true)
  })

  it('misses them with two', () => {
    const summary = summarize(
      minutes(1000, (minute) => (minute < 2 ? down : {})),
      60,
    )
    expect(meetsTargets(summary)).toBe(false)
    expect(describeSummary(summary)[1]).toBe(
      'availability: 99.800 % of the samples, at least 99.800 % of the time; target 99.9 %: missed',
    )
  })

  it('counts a time without samples as unknown, never as available', () => {
    const summary = summarize(
      minutes(1000, (minute) => (minute >= 10 && minute < 110 ? null : {})),
      60,
    )
    expect(summary).toMatchObject({ up: 900, missing: 100, observedShare: 1, leastShare: 0.9 })
    expect(meetsTargets(summary)).toBe(false)
    expect(describeSummary(summary)).toContain(
      'unknown from 2026-11-29T12:09:00.000Z to 2026-11-29T13:50:00.000Z: 100 samples are missing',
    )
    expect(describeSummary(summary)[1]).toContain('at least 90.000 % of the time; target 99.9 %: unknown')
  })

  it('counts the time after the last sample as unknown too', () => {
    const until = new Date(startMs + 2000 * 60_000)
    const summary = summarizeUntil(minutes(1000), 60, until)
    expect(summary).toMatchObject({ up: 1000, missing: 1000, leastShare: 0.5 })
    expect(meetsTargets(summary)).toBe(false)
  })

  it('allows a sample that is half an interval late', () => {
    const late = [sampleAt(0), sampleAt(1.4), sampleAt(2)]
    expect(summarize(late, 60).missing).toBe(0)
    expect(summarize([sampleAt(0), sampleAt(1.6)], 60).missing).toBe(1)
  })

  it('misses the target of the mean time', () => {
    const slow = summarize(
      minutes(10, () => ({ ms: 2000 })),
      60,
    )
    expect(meetsTargets(slow)).toBe(false)
    expect(describeSummary(slow)[2]).toBe(
      'response time: 2000 ms on average, 2000 ms at worst; target 2 s on average: missed',
    )
  })

  it('knows nothing without samples, and nothing of times without a response', () => {
    expect(meetsTargets(summarize([], 60))).toBe(false)
    expect(describeSummary(summarize([], 60))).toEqual(['There is no sample: nothing is known.'])
    expect(describeSummary(summarize([sampleAt(0, down)], 60))).toContain('1 × no response in time')
    expect(meetsTargets(summarize([sampleAt(0, down)], 60))).toBe(false)
  })

  it('orders the samples of several files, and names a line that is none', () => {
    const text = [sampleAt(2), sampleAt(0), sampleAt(1)].map((sample) => JSON.stringify(sample)).join('\n')
    expect(summarize(parseSamples(text), 60)).toMatchObject({ from: sampleAt(0).at, to: sampleAt(2).at, missing: 0 })
    expect(() => parseSamples(`${text}\n{"up":true}`)).toThrow('Line 4 is not a sample')
  })
})

describe('the command probe', () => {
  const run = (...args: string[]) =>
    new Promise<{ code: number; out: string; error: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        [join(projectFolder, 'src', 'cli', 'probe.ts'), ...args],
        { env: { PATH: process.env['PATH'] } },
        (_, out, error) => resolve({ code: child.exitCode ?? -1, out, error }),
      )
    })

  it('exits by the sample, and appends it to the file', async () => {
    const file = join(folder, 'samples.jsonl')
    server.answer(ready)
    expect((await run('--url', server.url, '--file', file)).code).toBe(0)
    server.answer(json('{}', 503))
    expect(await run('--url', server.url, '--file', file)).toMatchObject({
      code: 1,
      error: expect.stringContaining('was not available (1 samples)'),
    })
    expect(parseSamples(await readFile(file, 'utf8')).map(({ up }) => up)).toEqual([true, false])
  })

  it('takes samples for a while', async () => {
    server.answer(ready, json('{}', 503), ready)
    const { code, out } = await run('--url', server.url, '--every', '1', '--for', '3')
    expect(parseSamples(out).map(({ up }) => up)).toEqual([true, false, true])
    expect(code).toBe(1)
  })

  it('reports a file, and exits by the targets', async () => {
    const file = join(folder, 'report.jsonl')
    const lines = minutes(1000).map((sample) => JSON.stringify(sample))
    await writeFile(file, lines.join('\n'))
    const until = ['--until', sampleAt(999).at]
    expect(await run('--report', file, ...until)).toMatchObject({
      code: 0,
      out: expect.stringContaining('target 99.9 %: met'),
    })
    await writeFile(file, [...lines.slice(0, 100), ...lines.slice(200)].join('\n'))
    expect(await run('--report', file, ...until)).toMatchObject({
      code: 1,
      out: expect.stringContaining('100 missing'),
    })
  })
})
