// Looking at and ending other processes by their id. Never signals a process whose command line was not checked
// first: a process id is reused, and the one written down yesterday may be somebody's editor today.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const pollMs = 20

/** The command line of a running process, arguments separated by spaces; null when there is no such process. */
export async function commandLine(pid: number): Promise<string | null> {
  const text =
    process.platform === 'linux'
      ? readFile(`/proc/${pid}/cmdline`, 'utf8').then((raw) => raw.replaceAll('\0', ' '))
      : run('ps', ['-o', 'command=', '-p', String(pid)]).then(({ stdout }) => stdout)
  // Both fail in the same way when the process is gone, and an ended but unreaped one has no command line.
  return await text.then(
    (line) => line.trim() || null,
    () => null,
  )
}

/** Sends a signal to a process, or with a negative id to its group. False when it is already gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}

/** Waits until `isGone` says so. False when `timeoutMs` passed first. */
export async function waitUntilGone(isGone: () => Promise<boolean> | boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (!(await isGone())) {
    if (performance.now() > deadline) return false
    await delay(pollMs)
  }
  return true
}

/**
 * Ends a process whose command line satisfies `isOurs`, by each signal in turn, `graceMs` apart. A process that does
 * not satisfy it is left alone. Returns whether there was one to end; throws when it survived every signal.
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
