// What an operator's signals do to a deployment.
import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'
import { first, type Harness, withRelease } from './harness.ts'
import { environmentOf, program } from './run-process.ts'

let harness: Harness
beforeEach(async () => {
  harness = await withRelease()
})
afterEach(() => harness.end())

const packageSchema = z.object({ scripts: z.object({ deploy: z.string(), rollback: z.string() }) })

/** Runs the script `deploy` of package.json, with the test's program in place of the command, in its own process group. */
async function startByNpm() {
  const { scripts } = packageSchema.parse(JSON.parse(await readFile(join(projectFolder, 'package.json'), 'utf8')))
  const deploy = scripts.deploy.replace('src/cli/deploy.ts', program)
  await writeFile(join(harness.folder, 'package.json'), JSON.stringify({ name: 'test', scripts: { deploy } }))
  const env = {
    ...environmentOf(harness),
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    DEPLOY_INTERRUPTIBLE: 'yes',
  }
  const child = spawn('npm', ['run', 'deploy'], { cwd: harness.folder, env, detached: true })
  let printed = ''
  const waiting: { text: string; resolve: () => void }[] = []
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      for (const { text, resolve } of waiting) if (printed.includes(text)) resolve()
    })
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()))
  return {
    pid: child.pid ?? 0,
    printed: () => printed,
    ended,
    prints: (text: string) =>
      Promise.race([new Promise<void>((resolve) => void waiting.push({ text, resolve })), ended]),
  }
}

describe('Ctrl-C under npm', () => {
  it('undoes the deployment, although npm forwards the signal and the operator repeats it', async () => {
    const running = await startByNpm()
    await running.prints('WAITS')
    const isUndoing = running.prints('FAILED')
    process.kill(-running.pid, 'SIGINT')
    await isUndoing
    process.kill(running.pid, 'SIGINT')
    await running.ended
    expect(running.printed()).toContain('The traffic is as before')
    expect(harness.traffic()).toEqual({ [first]: 100 })
    expect(await harness.state()).toMatchObject({ phase: 'rolled_back' })
  }, 60_000)

  it('reaches Node itself, without a shell in between', async () => {
    const { scripts } = packageSchema.parse(JSON.parse(await readFile(join(projectFolder, 'package.json'), 'utf8')))
    for (const script of Object.values(scripts)) expect(script).toMatch(/^exec node /)
  })
})

describe('an interruption between two steps', () => {
  it.each([
    ['before the migration', 0, false],
    ['before the upload', 1, false],
    ['before all traffic at once', 1, true],
  ])('stops %s', async (_, steps, atOnce) => {
    const migrations = [{ name: '0050', sql: 'SELECT 1' }]
    const throwIfInterrupted = () => {
      if (harness.steps.filter((step) => step === 'migrate').length === steps) throw new Error('interrupted')
    }
    const pending = () => Promise.resolve({ isEmpty: false, migrations })
    const calls = async () => (await harness.fake.calls()).filter((call) => /^(?:deploy |versions upload)/.test(call))
    const before = await calls()
    await expect(harness.run({ pending, throwIfInterrupted }, { atOnce })).rejects.toThrow('interrupted')
    expect(harness.steps.filter((step) => step === 'migrate')).toHaveLength(steps)
    expect(await calls()).toEqual(before)
    expect(harness.traffic()).toEqual({ [first]: 100 })
  })
})
