// `npm run conformance`: checks every assertion that the local stand-ins make about Neon, Plaid and Cloudflare, against
// the stand-ins or against the real service that a flag names. Writes the dated results to docs/conformance.md.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { runCommand } from '../dev/lib/run-command.ts'
import { cloudflareAssertions, runCloudflare, runCloudflareStandIn } from './conformance/cloudflare.ts'
import { neonAssertions, runNeon, runNeonStandIn } from './conformance/neon.ts'
import { type Options, parseOptions } from './conformance/options.ts'
import { plaidAssertions, runPlaidSandbox, runPlaidStandIn } from './conformance/plaid.ts'
import { type DatedRun, type Promised, withResults } from './conformance/report.ts'
import type { Result, RunChoices } from './conformance/run.ts'

const help = `npm run conformance [-- --neon URL] [--plaid sandbox] [--cloudflare] [--slow]
  [--only TEXT] [--report FILE]

Runs the assertions about Neon, Plaid and Cloudflare. Without a service's flag: against the local stand-ins, no account
needed. With one: against that real service alone. Writes each result with its date to docs/conformance.md, where the
results of other runs stay. Exits 1 when an assertion fails.
  --neon URL        the owner's connection string of a scratch branch (direct host). The run makes a schema and a role of
                    its own and drops both. Refused when the database has users, unless --used-database is added
  --plaid sandbox   Plaid's sandbox, with PLAID_CLIENT_ID and PLAID_SECRET. Items and users of the run are removed
  --webhook-url U --webhook-port N
                    a public https URL and the local port it leads to (a tunnel): then webhooks are checked too
  --cloudflare      Cloudflare, with your own wrangler login: a Worker and a queue are created under a name of the run
                    and deleted at its end
  --slow            also assertions that take many seconds or many megabytes
  --only TEXT       only assertions whose name holds this text
  --report FILE     another file than docs/conformance.md; it must have a heading "## Results"`

const defaultReport = join(projectFolder, 'docs', 'conformance.md')

/** Every assertion, in the order of the report. */
export const promised: readonly Promised[] = [...neonAssertions, ...plaidAssertions, ...cloudflareAssertions]

const standIns = [
  { service: 'neon', run: runNeonStandIn },
  { service: 'plaid', run: runPlaidStandIn },
  { service: 'cloudflare', run: runCloudflareStandIn },
] as const

/** A stand-in without a selected assertion is not started. */
async function runStandIns(choices: RunChoices): Promise<Result[]> {
  const isWanted = (service: string) =>
    promised.some(({ name }) => name.startsWith(`${service}/`) && name.includes(choices.only))
  const results: Result[] = []
  for (const { service, run } of standIns) if (isWanted(service)) results.push(...(await run(choices)))
  return results
}

async function runAll(options: Options, choices: RunChoices): Promise<Omit<DatedRun, 'date'>> {
  const { neon, plaidSandbox, cloudflare } = options
  if (neon === null && !plaidSandbox && !cloudflare) return { place: 'stand-in', results: await runStandIns(choices) }
  const results = [
    ...(neon === null ? [] : await runNeon(neon, options.isUsedDatabaseAllowed, choices)),
    ...(plaidSandbox ? await runPlaidSandbox(process.env, options.tunnel, choices) : []),
    ...(cloudflare ? await runCloudflare(choices) : []),
  ]
  return { place: 'real', results }
}

async function main(args: string[]): Promise<void> {
  const options = parseOptions(args, defaultReport)
  const document = await readFile(options.report, 'utf8')
  const print = (line: string) => void process.stdout.write(`${line}\n`)
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => stopping.abort(new Error('Stopped; the report is as it was.')))
  const { slow, only } = options
  const run = await runAll(options, { slow, only, print, signal: stopping.signal })
  const date = new Date().toISOString().slice(0, 10)
  await writeFile(options.report, withResults(document, promised, { ...run, date }))
  const counted = (kind: string) => run.results.filter(({ outcome }) => outcome.kind === kind).length
  print(`${counted('passed')} passed, ${counted('failed')} failed, ${counted('unchecked')} not checkable here.`)
  if (counted('failed') > 0) throw new Error('A promise does not hold; the lines with FAIL say what was seen.')
}

if (import.meta.main) await runCommand(help, main)
