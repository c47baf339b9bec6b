// What the examples run on: a throwaway stack, an API key, the client, the simulated bank, and child processes.
import { type Client, createClient, type Item } from '@wealthnavigator/client'
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { createPrint, splitLines } from '../../dev/lib/output.ts'
import { type Bank, bankOf } from '../lib/bank-client.ts'
import { sendTo } from '../lib/http.ts'
import { startThrowawayStack } from '../lib/throwaway-stack.ts'

/** How long something may take to happen. Machines of CI are slow. */
const waitMs = 120_000
const pollMs = 250

export interface RunningExample {
  /** What it has printed. */
  readonly lines: readonly string[]
  /** The first line that matches, once it is there. Rejects if the process ends before. */
  line(pattern: RegExp): Promise<RegExpExecArray>
  /** Resolves to the exit code. */
  readonly exited: Promise<number>
  stop(): Promise<void>
  /** Ends it at once, as a crash does. */
  kill(): void
}

export interface Stage {
  readonly urls: { readonly api: string; readonly plaid: string }
  readonly bank: Bank
  readonly signal: AbortSignal
  /** Acts for a user of the application, by its API key. */
  user(name: string): Client
  /** Links a bank for a user, and waits for its history. */
  link(user: Client): Promise<Item>
  /** Starts an example as a process with `WN_API_URL` and `WN_API_KEY`. */
  start(file: string, variables?: Readonly<Record<string, string>>): RunningExample
  /** Resolves when `isTrue` does to true. */
  until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void>
  /** Kills the Worker and starts it again. */
  restartApi(): Promise<void>
  say(text: string): void
  stop(): Promise<void>
}

async function createKey(api: string, token: string): Promise<string> {
  const admin = createClient({ baseUrl: api, getToken: () => token })
  const application = await admin.post('/api/v1/admin/applications', { body: { name: 'Example' } })
  const scopes: ('read' | 'write' | 'link')[] = ['read', 'write', 'link']
  const body = { application_id: application.id, name: 'example', scopes }
  return (await admin.post('/api/v1/admin/api-keys', { body })).key
}

function watch(child: ChildProcess, say: (line: string) => void): RunningExample {
  const lines: string[] = []
  const note = splitLines((line) => {
    lines.push(line)
    say(line)
  })
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', note)
  const exited = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)))
  let isOver = false
  child.once('close', () => void (isOver = true))
  return {
    lines,
    exited,
    async line(pattern) {
      for (const endMs = Date.now() + waitMs; Date.now() < endMs; await delay(pollMs)) {
        const found = lines.map((line) => pattern.exec(line)).find((match) => match !== null)
        if (found !== undefined) return found
        if (isOver) break
      }
      throw new Error(`The example did not print ${String(pattern)}: ${lines.slice(-5).join(' / ')}`)
    },
    async stop() {
      if (!isOver) child.kill('SIGTERM')
      await exited
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

/** Starts the stack and creates the key. */
export async function openStage(signal: AbortSignal): Promise<Stage> {
  const ended = new AbortController()
  const both = AbortSignal.any([signal, ended.signal])
  const log = createPrint(process.stderr)
  let isStopping = false
  const { stack, stop } = await startThrowawayStack({
    // The stack's own lines would hide those of the example.
    print(part, message, level) {
      // PostgreSQL warns of each connection that the stop ends.
      if ((level === 'warn' || level === 'error') && !isStopping) log(part, message, level)
    },
    signal,
    onFailure: (message) => ended.abort(new Error(message)),
    variables: { API_KEYS: 'on' },
  })
  const { api, plaid, admin_token: token = '' } = stack.ready
  const say = (text: string): void => void process.stdout.write(`${text}\n`)
  const running: RunningExample[] = []
  try {
    const apiKey = await createKey(api, token)
    const client = createClient({ baseUrl: api, apiKey })
    const bank = bankOf(sendTo(plaid, {}, both))
    const until: Stage['until'] = async (what, isTrue) => {
      for (const endMs = Date.now() + waitMs; Date.now() < endMs; await delay(pollMs, undefined, { signal: both }))
        if (await isTrue()) return
      throw new Error(`It took too long until ${what}.`)
    }
    return {
      urls: { api, plaid },
      bank,
      signal: both,
      user: (name) => client.forUser(name),
      async link(user) {
        const { link_token } = await user.post('/api/v1/plaid/link/token/create', { body: {} })
        const { publicToken } = await bank.finishLink(link_token, {})
        const body = { public_token: publicToken, link_token }
        const { id } = await user.post('/api/v1/plaid/item/public_token/exchange', { body })
        const read = () => user.get('/api/v1/plaid/items/{id}', { params: { path: { id } } })
        await until('the bank is in sync', async () => {
          const { status, products } = await read()
          return status === 'healthy' && products.every((product) => product.status === 'ok')
        })
        return await read()
      },
      start(file, variables = {}) {
        const child = spawn(process.execPath, [join(projectFolder, 'src', 'examples', file)], {
          env: { ...process.env, WN_API_URL: api, WN_API_KEY: apiKey, PORT: '0', ...variables },
          stdio: ['ignore', 'pipe', 'pipe'],
        })
        const example = watch(child, (line) => say(`  ${line}`))
        running.push(example)
        return example
      },
      until,
      async restartApi() {
        await stack.worker.kill()
        await stack.worker.restart()
      },
      say,
      async stop() {
        isStopping = true
        await Promise.all(running.map((example) => example.stop()))
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}
