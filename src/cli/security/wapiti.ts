// Runs wapiti on all addresses, module by module.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { ScanOptions } from './sqlmap.ts'
import { runTool } from './tool.ts'

/**
 * Without `htaccess`: that module reports the platform's 501 for an invented method, which never reaches the Worker.
 */
const moduleNames = 'backup,blindsql,crlf,exec,file,methods,permanentxss,redirect,shellshock,sql,xss'
const moduleCount = moduleNames.split(',').length

const kindsSchema = z.record(z.string(), z.array(z.looseObject({ info: z.string(), path: z.string() })))
const reportSchema = z.object({ vulnerabilities: kindsSchema, anomalies: kindsSchema })

/** The findings for these addresses. Each module may take `seconds`. */
export async function wapiti(
  url: string,
  starts: readonly string[],
  { token, folder, seconds, signal }: ScanOptions,
): Promise<{ findings: string[]; modules: number }> {
  const report = join(folder, 'wapiti.json')
  const where = ['-u', `${url}/`, ...starts.flatMap((start) => ['-s', start]), '--scope', 'domain', '-d', '1']
  const manner = ['-H', `Authorization: Bearer ${token}`, '-m', moduleNames, '--flush-session', '--no-bugreport']
  const bounds = ['--max-scan-time', String(seconds), '--max-attack-time', String(seconds), '--store-session', folder]
  const args = [...where, ...manner, ...bounds, '-f', 'json', '-o', report]
  const { text } = await runTool('wapiti', args, seconds * (moduleCount + 2), signal)
  const written = await readFile(report, 'utf8').catch(() => {
    throw new Error(`wapiti wrote no report: ${text.slice(-400)}`)
  })
  const { vulnerabilities, anomalies } = reportSchema.parse(JSON.parse(written))
  const found = [...Object.entries(vulnerabilities), ...Object.entries(anomalies)]
  const findings = found.flatMap(([kind, ones]) => ones.map(({ info, path }) => `wapiti ${kind}: ${path}: ${info}`))
  return { findings, modules: moduleCount }
}
