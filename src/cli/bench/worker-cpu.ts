// How much processor time a process has used. Asks the operating system: what a profiler in the isolate shows is without
// the calls between Worker and objects, without SQLite and without the disk.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** Linux counts in hundredths of a second towards user space, whatever the kernel's own tick is. */
const ticksPerSecond = 100

/** User and system time in /proc/PID/stat (proc(5)), of all threads, also of those that ended. */
function linuxMs(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond
}

/** `[[DD-]HH:]MM:SS[.cc]` as milliseconds. */
function clockMs(text: string): number {
  const [time = '', days = '0'] = text.trim().split('-').toReversed()
  const seconds = time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  return (Number(days) * 86_400 + seconds) * 1000
}

/** Processor time, user and system, of all threads of a process so far, in milliseconds, to 10 ms. */
export async function processCpuMs(pid: number): Promise<number> {
  if (process.platform === 'linux') return linuxMs(await readFile(`/proc/${pid}/stat`, 'utf8'))
  if (process.platform === 'win32') throw new Error('Processor time is measured on Linux and macOS only.')
  const { stdout } = await run('ps', ['-o', 'time=', '-p', String(pid)])
  return clockMs(stdout)
}
