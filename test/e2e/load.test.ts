// The load test against the stack that it starts: it sees what is lost, and leaves nothing running when it is interrupted.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventsStored, judgeBooks } from '../../src/cli/load/books.ts'
import { fire } from '../../src/cli/load/generator.ts'
import { type LocalStack, originOf, startLocalStack } from '../../src/cli/load/local-stack.ts'
import { measureOneRead } from '../../src/cli/load/one-read.ts'
import { type Member, populate } from '../../src/cli/load/population.ts'
import type { Finding } from '../../src/cli/load/traffic.ts'
import { collect } from '../../src/cli/load/webhooks.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { runsLongProofs } from '../support/sampled.ts'

const longestMs = 240_000
const missed = (findings: readonly Finding[]): string[] =>
  findings.filter(({ ok }) => ok === false).map(({ name }) => name)

describe.runIf(runsLongProofs())('the load test', () => {
  let stack: LocalStack
  let members: readonly Member[]
  const signal = AbortSignal.timeout(longestMs)
  beforeAll(async () => {
    stack = await startLocalStack(() => undefined, signal)
    members = await populate(stack, 2, signal)
  }, longestMs)
  afterAll(() => stack.stop())

  it('sends signed webhooks, and finds each of them and its transaction', { timeout: longestMs }, async () => {
    const shots = await collect(stack, members, 12, signal)
    const before = await eventsStored(stack)
    const origin = originOf(stack.worker)
    const { outcomes } = await fire({ origin, shots, connections: 3, seconds: 60, once: true, signal })
    expect(outcomes.map(({ status }) => status)).toEqual(shots.map(() => 200))
    const counted = { accepted: outcomes.length, sent: shots.length }
    expect(missed(await judgeBooks(stack, members, counted, before, signal))).toEqual([])

    await stack.owner.query('delete from webhook_events where id = (select id from webhook_events limit 1)')
    await stack.owner.query(
      'update transactions set amount = amount + 1 where id = (select id from transactions where removed_at is null limit 1)',
    )
    expect(missed(await judgeBooks(stack, members, counted, before, signal))).toEqual([
      'rows of accepted webhooks',
      'transactions that differ from the bank',
    ])
  })

  it(
    'measures a read against its statements, and the processor time of its functions',
    { timeout: longestMs },
    async () => {
      const [member] = members
      if (member === undefined) throw new Error('There is no user.')
      const { findings, notes } = await measureOneRead(stack, member, 1, signal)
      expect(findings.every(({ value }) => Number.isFinite(value))).toBe(true)
      expect(findings.slice(0, 2).every(({ value, ok }) => value > 0 && ok !== undefined)).toBe(true)
      const floor = findings.find(({ name }) => name === 'a Worker that only forwards these statements, p50')
      expect(floor).toMatchObject({ value: expect.any(Number), against: findings[0]?.against })
      expect(floor?.value).toBeLessThan(findings[0]?.value ?? 0)
      // Names of the source, by the source map of the minified bundle.
      expect(notes.join('\n')).toContain('src/http/')
    },
  )
})

describe.runIf(runsLongProofs())('an interrupted load test', () => {
  it('stops everything that it started', { timeout: longestMs }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-test-'))
    // Under root, PostgreSQL runs as another user, who must reach its files there.
    await chmod(folder, 0o755)
    const child = spawn(process.execPath, [join(projectFolder, 'src', 'cli', 'load.ts'), '--seconds', '1'], {
      env: { PATH: process.env['PATH'], TMPDIR: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (text.includes('linking')) child.kill('SIGINT')
    })
    expect(await once(child, 'exit')).toEqual([1, null])
    expect(said).toContain('Stopped.')
    expect((await readdir(folder)).filter((name) => name.includes('-load-'))).toEqual([])
    const { stdout } = await promisify(execFile)('ps', ['-eo', 'args'])
    expect(stdout.split('\n').filter((line) => line.includes(folder))).toEqual([])
    await rm(folder, { recursive: true, force: true })
  })
})
