// A stand-in of src/dev in its own process, so that its processor time is not the Worker's or the generator's.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Child {
  readonly url: string
  stop(): Promise<void>
}

const startTimeoutMs = 30_000
const stopTimeoutMs = 10_000

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await ended
  clearTimeout(force)
}

/** Resolves with the URL at which it says that it listens. */
function whenListening(child: ChildProcess, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const url = /listens on (http:\/\/\S+?)[.,](?:\s|$)/.exec(said)?.[1]
      if (url !== undefined) resolve(url)
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`A stand-in ended before it listened: ${said.trim()}`)))
    const limit = AbortSignal.any([signal, AbortSignal.timeout(startTimeoutMs)])
    limit.addEventListener('abort', () => reject(limit.reason), { once: true })
  })
}

/** Starts the program and resolves when it listens. After a failure no process is left. */
export async function startChild(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Child> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C reaches the whole terminal group; what the Worker uses ends after it, when `stop` ends it.
    detached: true,
  })
  try {
    return { url: await whenListening(child, signal), stop: () => end(child) }
  } catch (error) {
    await end(child)
    throw error
  }
}
