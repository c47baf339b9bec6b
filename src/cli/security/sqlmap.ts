// Runs sqlmap on one request at a time: reports whether any of its parameters reaches SQL.
import type { ScanRequest } from './requests.ts'
import { runTool } from './tool.ts'

/** sqlmap would stop at refusals, which are expected for its changes. */
const refusals = '--ignore-code=400,401,403,404,409,413,415,422'
/** A server error shows an attempt that broke a statement, even if sqlmap cannot exploit it. */
const failures = /\b5\d\d \([^)]+\) - \d+ times/g
const foundText = 'identified the following injection point'

export interface ScanOptions {
  readonly token: string
  readonly folder: string
  readonly seconds: number
  /** sqlmap's level, 1 to 5: how many kinds of attempts it makes. */
  readonly level: number
  readonly signal: AbortSignal
}

/** The findings, and how the scan ended. */
export async function sqlmap(
  { method, url, body }: ScanRequest,
  { token, folder, seconds, level, signal }: ScanOptions,
): Promise<{ findings: string[]; ended: string }> {
  const headers = `Authorization: Bearer ${token}${body === null ? '' : '\nContent-Type: application/json'}`
  const asked = ['-u', url, `--method=${method}`, `--headers=${headers}`, ...(body === null ? [] : [`--data=${body}`])]
  const manner = ['--batch', '--flush-session', '--disable-coloring', '--timeout=10', '--retries=1', '--threads=4']
  const depth = [`--level=${level}`, '--skip=user-agent,referer,host,cookie']
  const args = [...asked, ...manner, ...depth, '--dbms=PostgreSQL', refusals, `--output-dir=${folder}`]
  const { text, stopped } = await runTool('sqlmap', args, seconds, signal)
  const where = `sqlmap ${method} ${url}`
  const signs = [...text.matchAll(/^Parameter: .+$/gm), ...text.matchAll(failures)]
  const findings = signs.map(([found]) => `${where}: ${found}`)
  if (text.includes(foundText))
    return { findings: findings.length > 0 ? findings : [`${where}: ${foundText}`], ended: 'found' }
  if (findings.length > 0) return { findings, ended: 'responses of a failure' }
  if (stopped) return { findings, ended: 'nothing so far, out of time' }
  if (text.includes('all tested parameters do not appear to be injectable')) return { findings, ended: 'nothing' }
  return { findings: [`${where}: could not be tested: ${text.slice(-400)}`], ended: 'not tested' }
}
