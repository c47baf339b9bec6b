// `npm run dev`: the whole product on one machine, until Ctrl-C. Prints its progress, then one READY line. Exit code 0
// when it was stopped, 1 when a part failed.
import { createJsonPrint, createPrint } from '../lib/output.ts'
import { runCommand } from '../lib/run-command.ts'

const help = `npm run dev

Starts PostgreSQL, the Neon endpoint, the Plaid simulator and the Worker, all on 127.0.0.1, and prints READY {json}
when GET /ready returns 200. Otherwise prints what is wrong and ends with code 1. Under AUTH_MODE=oidc, READY holds no
tokens: your identity provider makes them.
  PORT, PLAID_PORT, SQL_PORT, PG_PORT   ports (8787, 8788, 8789, 8790); 0 takes a free one
  DATA_DIR                              where the data stay (.data/); :memory: keeps none
  LOCAL_DATABASE_URL                    a running PostgreSQL (15 or newer) instead of the embedded one
  LOG=json                              one JSON object a line instead of text
  any variable of the configuration     goes to the Worker before .dev.vars
Ctrl-C stops everything.`

const parentPollMs = 1_000

/**
 * A killed npm does not signal the processes that it started. That this process has another parent is the only sign.
 */
function watchParent(onGone: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) onGone()
  }, parentPollMs).unref()
}

async function main(): Promise<void> {
  const print = (process.env['LOG'] === 'json' ? createJsonPrint : createPrint)(process.stdout)
  const stopping = new AbortController()
  const { signal } = stopping
  let failure: string | null = null
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  const onFailure = (message: string) => {
    failure ??= message
    stopping.abort()
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stopping.abort())
  watchParent(() => stopping.abort())
  // The reader of the output has closed it, so there is no reason to run.
  process.stdout.on('error', () => stopping.abort())
  try {
    // Imported only now, so that a signal during the half second of loading is handled.
    const { startStack } = await import('./stack.ts')
    signal.throwIfAborted()
    const stack = await startStack({ environment: process.env, console: true, print, signal, onFailure })
    process.stdout.write(`READY ${JSON.stringify(stack.ready)}\n`)
    await stopped
    await stack.stop()
  } catch (error) {
    if (!signal.aborted || failure !== null) throw error
  }
  if (failure !== null) throw new Error(failure)
}

if (import.meta.main) await runCommand(help, main)
