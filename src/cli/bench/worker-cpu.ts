// Measures the processor time of a process with the operating system's counters. A profiler in the isolate would miss
// the calls between Worker and objects, SQLite and the disk.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** Linux reports hundredths of a second to user space, independently of the kernel's tick. */
const ticksPerSecond = 100

/** User and system time in /proc/PID/stat (proc(5)), of all threads, including ended ones. */
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

/** User and system time of all threads of a process so far, in milliseconds, with a resolution of 10 ms. */
export async function processCpuMs(pid: number): Promise<number> {
  if (process.platform === 'linux') return linuxMs(await readFile(`/proc/${pid}/stat`, 'utf8'))
  if (process.platform === 'win32') throw new Error('Processor time is measured on Linux and macOS only.')
  const { stdout } = await run('ps', ['-o', 'time=', '-p', String(pid)])
  return clockMs(stdout)
}
