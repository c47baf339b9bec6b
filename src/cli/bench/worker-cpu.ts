// How much processor time workerd has used. Asks the operating system about whole processes: what a profiler in the
// isolate shows is without the calls between isolates and without SQLite.
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** Linux counts in hundredths of a second towards user space, whatever the kernel's own tick is. */
const ticksPerSecond = 100

/** Milliseconds of a process that is workerd and in the group, from /proc/PID/stat (proc(5)); 0 of any other. */
function linuxMs(stat: string, group: number): number {
  const nameEnd = stat.lastIndexOf(')')
  const fields = stat.slice(nameEnd + 2).split(' ')
  if (!stat.slice(0, nameEnd).endsWith('(workerd') || Number(fields[2]) !== group) return 0
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond
}

/** `[[DD-]HH:]MM:SS[.cc]` as milliseconds. */
function clockMs(text: string): number {
  const [time = '', days = '0'] = text.split('-').toReversed()
  const seconds = time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  return (Number(days) * 86_400 + seconds) * 1000
}

/** Processor time, user and system, of every workerd in a process group so far, in milliseconds. */
export async function workerdCpuMs(group: number): Promise<number> {
  if (process.platform === 'win32') throw new Error('Processor time is measured on Linux and macOS only.')
  if (process.platform !== 'linux') {
    const { stdout } = await run('ps', ['-A', '-o', 'pgid=,time=,comm='])
    const lines = stdout.split('\n').map((line) => line.trim().split(/\s+/))
    const ours = lines.filter(([id, , command = '']) => Number(id) === group && command.endsWith('workerd'))
    return ours.reduce((sum, [, time = '0']) => sum + clockMs(time), 0)
  }
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  // A process that ended since the listing has no file.
  const stats = await Promise.all(ids.map((id) => readFile(`/proc/${id}/stat`, 'utf8').catch(() => '')))
  return stats.reduce((sum, stat) => sum + linuxMs(stat, group), 0)
}
