// sqlmap, over one request at a time: whether any of its parameters reaches SQL.
import type { ScanRequest } from './requests.ts'
import { runTool } from './tool.ts'

/** Refusals are what its changes are for; it would stop at them. */
const REFUSALS = '--ignore-code=400,401,403,404,409,413,415,422'
const FOUND = 'identified the following injection point'

export interface ScanOptions {
  readonly token: string
  readonly folder: string
  readonly seconds: number
  readonly signal: AbortSignal
}

/** What it found, and how the scan ended in a word. */
export async function sqlmap(
  { method, url, body }: ScanRequest,
  { token, folder, seconds, signal }: ScanOptions,
): Promise<{ findings: string[]; ended: string }> {
  const headers = `Authorization: Bearer ${token}${body === null ? '' : '\nContent-Type: application/json'}`
  const asked = ['-u', url, `--method=${method}`, `--headers=${headers}`, ...(body === null ? [] : [`--data=${body}`])]
  const manner = ['--batch', '--flush-session', '--disable-coloring', '--timeout=10', '--retries=1', '--threads=4']
  const args = [...asked, ...manner, '--dbms=PostgreSQL', REFUSALS, `--output-dir=${folder}`]
  const { text, stopped } = await runTool('sqlmap', args, seconds, signal)
  const where = `sqlmap ${method} ${url}`
  const findings = [...text.matchAll(/^Parameter: .+$/gm)].map(([found]) => `${where}: ${found}`)
  if (text.includes(FOUND)) return { findings: findings.length > 0 ? findings : [`${where}: ${FOUND}`], ended: 'found' }
  if (stopped) return { findings, ended: 'nothing so far, out of time' }
  if (text.includes('all tested parameters do not appear to be injectable')) return { findings, ended: 'nothing' }
  return { findings: [`${where}: could not be tested: ${text.slice(-400)}`], ended: 'not tested' }
}
