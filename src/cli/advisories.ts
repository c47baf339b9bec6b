// `npm run advisories`: asks the npm registry for published advisories about the locked packages. If the registry does
// not respond, the command reports that nothing is known, never "none found".
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { runCommand } from '../dev/lib/run-command.ts'
import { packagesSchema, shippedPaths } from './lib/lock-file.ts'

const help = `npm run advisories [-- --require-answer]

Fails where a package that the Worker ships has an advisory of any severity, or a tool for development one that is high or
critical. Lists the others. Asks the registry that npm is configured for. Where that registry gives no advisories, it warns
that nothing was checked.
  --require-answer   fail in that case too`

const severities = ['info', 'low', 'moderate', 'high', 'critical'] as const
const failsInTools: readonly string[] = ['high', 'critical']

const reportSchema = z.object({
  vulnerabilities: z.record(
    z.string(),
    z.object({
      severity: z.enum(severities),
      // A string is the name of another package in the report that affects this one.
      via: z.array(z.union([z.string(), z.object({ title: z.string(), url: z.string() })])),
      /** Its paths in the lock file, such as `node_modules/hono`. */
      nodes: z.array(z.string()),
    }),
  ),
})
const refusalSchema = z
  .object({ message: z.string() })
  .or(z.object({ error: z.object({ summary: z.string() }) }).transform(({ error }) => ({ message: error.summary })))
const lockSchema = z.object({ packages: packagesSchema })

type Report = z.infer<typeof reportSchema>

export interface Advisory {
  readonly name: string
  readonly severity: (typeof severities)[number]
  readonly isShipped: boolean
  /** Titles and addresses of the advisories, or the packages that affect it. */
  readonly because: readonly string[]
}

export const isFailure = ({ severity, isShipped }: Advisory): boolean => isShipped || failsInTools.includes(severity)

/**
 * `npm audit` exits with 1 both for findings and if it could not ask the registry; only its JSON distinguishes them.
 */
async function audit(): Promise<Report | { readonly problem: string }> {
  const printed = await new Promise<string>((resolve) => {
    const options = { cwd: projectFolder, maxBuffer: 64_000_000 }
    execFile('npm', ['audit', '--json'], options, (error, stdout) => resolve(stdout || (error?.message ?? '')))
  })
  try {
    const answer: unknown = JSON.parse(printed)
    const report = reportSchema.safeParse(answer)
    if (report.success) return report.data
    const refused = refusalSchema.safeParse(answer)
    return { problem: refused.success ? refused.data.message : 'npm audit printed no report' }
  } catch {
    return { problem: printed.split('\n')[0] ?? '' }
  }
}

/** The advisories about the locked packages, shipped ones first, or why they are unknown. */
export async function findAdvisories(): Promise<readonly Advisory[] | { readonly problem: string }> {
  const report = await audit()
  if ('problem' in report) return report
  const { packages } = lockSchema.parse(JSON.parse(await readFile(join(projectFolder, 'package-lock.json'), 'utf8')))
  const shipped = shippedPaths(packages)
  return Object.entries(report.vulnerabilities)
    .map(([name, { severity, via, nodes }]) => ({
      name,
      severity,
      isShipped: nodes.some((path) => shipped.has(path)),
      because: via.map((one) => (typeof one === 'string' ? `through ${one}` : `${one.title} (${one.url})`)),
    }))
    .toSorted((one, other) => Number(other.isShipped) - Number(one.isShipped))
}

const describe = ({ name, severity, isShipped, because }: Advisory): string =>
  `${severity}: ${name} (${isShipped ? 'shipped' : 'development only'}): ${because.join('; ')}`

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { 'require-answer': { type: 'boolean', default: false } } })
  const found = await findAdvisories()
  if ('problem' in found) {
    const sentence = `Advisories were NOT checked, because the registry did not give them: ${found.problem}`
    if (values['require-answer']) throw new Error(sentence)
    process.stderr.write(`warning: ${sentence}\n`)
    return
  }
  for (const one of found) process.stdout.write(`${describe(one)}\n`)
  const failures = found.filter(isFailure)
  if (failures.length > 0) throw new Error(`${failures.length} of ${found.length} advisories fail this check.`)
  process.stdout.write(`The registry has no advisory that fails this check (${found.length} listed).\n`)
}

if (import.meta.main) await runCommand(help, main)
