// Inspects and ends other processes by their id. Never signals a process whose command line was not checked first:
// process ids are reused, so a noted id can belong to any program now.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const pollMs = 20

/** The command line of a running process, arguments separated by spaces; null if there is no such process. */
export async function commandLine(pid: number): Promise<string | null> {
  const text =
    process.platform === 'linux'
      ? readFile(`/proc/${pid}/cmdline`, 'utf8').then((raw) => raw.replaceAll('\0', ' '))
      : run('ps', ['-o', 'command=', '-p', String(pid)]).then(({ stdout }) => stdout)
  // Both reads fail in the same way if the process is gone. A process that has ended but was not reaped has no command
  // line.
  return await text.then(
    (line) => line.trim() || null,
    () => null,
  )
}

/** Sends a signal to a process, or with a negative id to its group. Returns false if it is gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}

/** Polls until `isGone` returns true. Returns false after `timeoutMs`. */
export async function waitUntilGone(isGone: () => Promise<boolean> | boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (!(await isGone())) {
    if (performance.now() > deadline) return false
    await delay(pollMs)
  }
  return true
}

/**
 * Ends a process whose command line satisfies `isOurs`, with each signal in turn, `graceMs` apart. Leaves any other
 * process alone. Returns whether there was one to end.
 * @throws Error if it survived every signal
 */
export async function endProcess(
  pid: number,
  isOurs: (command: string) => boolean,
  signals: readonly NodeJS.Signals[],
  graceMs: number,
): Promise<boolean> {
  const runs = async () => {
    const command = await commandLine(pid)
    return command !== null && isOurs(command)
  }
  if (!(await runs())) return false
  for (const signal of signals) {
    signalProcess(pid, signal)
    if (await waitUntilGone(async () => !(await runs()), graceMs)) return true
  }
  throw new Error(`Process ${pid} did not end after ${signals.join(', ')}: end it by hand and try again.`)
}
