// Runs the README's tour against `npm run dev` and compares its output with the README's.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'

const readySchema = z.object({ api: z.string(), plaid: z.string() })

interface Step {
  readonly commands: string
  /** The output that the README shows for them. */
  readonly shown: string
}

/** The tour's blocks in order. */
function readTour(): Step[] {
  const blocks = readFileSync(join(projectFolder, 'README.md'), 'utf8').matchAll(/^```(sh tour|output)\n(.*?)^```$/gms)
  const steps: Step[] = []
  for (const [, kind, text = ''] of blocks)
    if (kind === 'sh tour') steps.push({ commands: text, shown: '' })
    else steps.push({ commands: steps.pop()?.commands ?? '', shown: text })
  return steps
}

let stack: ChildProcess
let ready: z.infer<typeof readySchema>

beforeAll(async () => {
  const environment = { ...process.env, DATA_DIR: ':memory:', PORT: '0', PLAID_PORT: '0', SQL_PORT: '0', PG_PORT: '0' }
  stack = spawn('node', ['src/dev/stack/start.ts'], {
    cwd: projectFolder,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (stack.stdout === null) throw new Error('the stack has no output')
  for await (const line of createInterface({ input: stack.stdout }))
    if (line.startsWith('READY ')) {
      ready = readySchema.parse(JSON.parse(line.slice('READY '.length)))
      stack.stdout.resume()
      return
    }
  throw new Error('the stack ended before it was ready')
})

afterAll(async () => {
  const gone = new Promise((resolve) => stack.once('exit', resolve))
  stack.kill('SIGTERM')
  await gone
})

describe('the README’s tour', () => {
  it('has a console with both demo users and a link to the Bank panel', async () => {
    const settings: unknown = await (await fetch(`${ready.api}/console/settings`)).json()
    const bank_url = `${ready.plaid}/panel`
    expect(settings).toMatchObject({ demo: true, operator: true, bank_url })
    expect(await (await fetch(bank_url)).text()).toContain('<h1>Banks</h1>')
  })

  it('gives what it shows', async () => {
    const tour = readTour()
    expect(tour.length).toBeGreaterThan(4)
    const script = tour
      .map(({ commands }) => `${commands}\necho "-- next"\n`)
      .join('')
      .replace(/^API=.*$/m, `API=${ready.api} PLAID=${ready.plaid}`)
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: projectFolder,
      timeout: 100_000,
    })
    const seen = stdout.split('-- next\n').slice(0, -1)
    expect(seen).toEqual(tour.map(({ shown }) => shown))
  })
})
