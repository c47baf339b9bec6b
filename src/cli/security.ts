// `npm run test:security`: lets two scanners that others wrote loose on the API, a throwaway local stack or a given
// address. Fails on any finding. Never scans what it was not told to.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import * as z from 'zod'
import { createPrint } from '../dev/output.ts'
import { startStack } from '../dev/stack.ts'
import { misuse, runCommand } from './run-command.ts'

const PROJECT_FOLDER = join(import.meta.dirname, '..', '..')
/** Without `htaccess`: it takes the platform's 501 for an invented method, which no Worker sees, for a way in. */
const WAPITI_MODULES = 'backup,blindsql,crlf,exec,file,methods,permanentxss,redirect,shellshock,sql,xss'
const run = promisify(execFile)

const HELP = `npm run test:security [-- --url URL --token TOKEN] [--seconds 90]

Drives sqlmap and wapiti against every GET route that takes parameters: of a local stack that it starts and throws
away, or of a deployment, whose rate limits will be in the way. Fails on any finding.
  --url URL      a staging deployment of yours, with --token, an access token for it
  --seconds N    the most that each scan of sqlmap may take, and wapiti per module (90)
Needs both tools: apt-get install wapiti sqlmap`

interface Target {
  readonly url: string
  readonly token: string
  stop(): Promise<void>
}

const documentSchema = z.object({
  paths: z.record(
    z.string(),
    z.object({
      get: z.object({ parameters: z.array(z.object({ name: z.string(), in: z.string() })).default([]) }).optional(),
    }),
  ),
})

/** Values that are taken, so that a scanner's changes are what is refused. */
const SAMPLES: Readonly<Record<string, string>> = {
  limit: '10',
  from: '2020-01-01',
  to: '2030-01-01',
  q: 'a',
  category: 'FOOD_AND_DRINK',
  min_amount: '1',
  max_amount: '1000',
  pending: 'false',
}
const SAMPLE_ID = '3f0e8a52-6a1e-4c8c-9d5a-0c1f5b0b7a11'

/** Addresses of every GET route, each with all its parameters but the cursor, which only a list can give. */
async function addresses(url: string): Promise<{ plain: string[]; withParameters: string[] }> {
  const { paths } = documentSchema.parse(
    JSON.parse(await readFile(join(PROJECT_FOLDER, 'docs', 'openapi.json'), 'utf8')),
  )
  const all = Object.entries(paths).flatMap(([path, { get }]) => {
    if (get === undefined) return []
    const address = new URL(path.replaceAll(/\{\w+\}/g, SAMPLE_ID), url)
    for (const { name, in: place } of get.parameters)
      if (place === 'query' && name !== 'cursor') address.searchParams.set(name, SAMPLES[name] ?? SAMPLE_ID)
    return [address.href]
  })
  return { plain: all, withParameters: all.filter((address) => address.includes('?')) }
}

async function requireTools(names: readonly string[]): Promise<void> {
  const found = await Promise.all(
    names.map((name) =>
      run('which', [name]).then(
        () => true,
        () => false,
      ),
    ),
  )
  const missing = names.filter((_, index) => !found[index])
  if (missing.length > 0)
    throw new Error(`${missing.join(' and ')} not installed: run \`apt-get install -y ${missing.join(' ')}\`.`)
}

async function startLocal(signal: AbortSignal): Promise<Target> {
  const environment = { DATA_DIR: ':memory:', PORT: '0', PLAID_PORT: '0', SQL_PORT: '0', PG_PORT: '0' }
  const random = (encoding: 'hex' | 'base64') => randomBytes(32).toString(encoding)
  const chosen = {
    ENVIRONMENT: 'development',
    PLAID_ENV: 'sandbox',
    PLAID_CLIENT_ID: random('hex'),
    PLAID_SECRET: random('hex'),
    SECRET_KEY: random('hex'),
    ENCRYPTION_KEY: random('base64'),
    // A scanner asks by the thousand.
    RATE_LIMIT_ENABLED: 'false',
  }
  const onFailure = (message: string) => process.stderr.write(`${message}\n`)
  const print = createPrint(process.stderr)
  const quiet: typeof print = (part, line, level) => (level === 'error' ? print(part, line, level) : undefined)
  const stack = await startStack({ environment, variables: { chosen, examples: {} }, print: quiet, signal, onFailure })
  return { url: stack.ready.api, token: stack.ready.token, stop: () => stack.stop() }
}

const outputSchema = z.object({ stdout: z.string().default(''), killed: z.boolean().default(false) })

/** What a tool wrote, also where it ended with an error or was stopped for its time. */
async function output(
  tool: string,
  args: readonly string[],
  seconds: number,
): Promise<{ text: string; stopped: boolean }> {
  const options = { timeout: seconds * 1000, killSignal: 'SIGKILL' as const, maxBuffer: 64 * 1024 * 1024 }
  try {
    return { text: (await run(tool, args, options)).stdout, stopped: false }
  } catch (error) {
    const { stdout, killed } = outputSchema.parse(error)
    return { text: stdout, stopped: killed }
  }
}

/** What sqlmap says of one address. */
async function sqlmap(address: string, token: string, folder: string, seconds: number): Promise<string[]> {
  const args = ['-u', address, '--batch', '--flush-session', '--disable-coloring', '--dbms=PostgreSQL', '--threads=4']
  const asked = [`--headers=Authorization: Bearer ${token}`, `--output-dir=${folder}`, '--timeout=10', '--retries=1']
  const { text, stopped } = await output('sqlmap', [...args, ...asked, '--ignore-code=400,404'], seconds)
  const isWhole = text.includes('all tested parameters do not appear to be injectable')
  process.stdout.write(
    `sqlmap ${address}: ${isWhole ? 'nothing' : stopped ? 'nothing so far, out of time' : 'ended'}\n`,
  )
  if (!isWhole && !stopped && !text.includes('identified the following injection point'))
    return [`sqlmap could not test ${address}: ${text.slice(-400)}`]
  return [...text.matchAll(/^Parameter: .+$/gm)].map(([found]) => `sqlmap ${address}: ${found}`)
}

const reportSchema = z.object({
  vulnerabilities: z.record(z.string(), z.array(z.looseObject({ info: z.string(), path: z.string() }))),
  anomalies: z.record(z.string(), z.array(z.looseObject({ info: z.string(), path: z.string() }))),
})

/** What wapiti's report says of all addresses. */
async function wapiti(
  url: string,
  starts: readonly string[],
  token: string,
  folder: string,
  seconds: number,
): Promise<string[]> {
  const report = join(folder, 'wapiti.json')
  const args = ['-u', `${url}/`, ...starts.flatMap((start) => ['-s', start]), '--scope', 'domain', '-d', '1']
  const asked = ['-H', `Authorization: Bearer ${token}`, '-m', WAPITI_MODULES, '--flush-session', '--no-bugreport']
  const bounds = ['--max-scan-time', String(seconds), '--max-attack-time', String(seconds), '--store-session', folder]
  const modules = WAPITI_MODULES.split(',').length
  const { text } = await output(
    'wapiti',
    [...args, ...asked, ...bounds, '-f', 'json', '-o', report],
    seconds * (modules + 2),
  )
  const written = await readFile(report, 'utf8').catch(() => {
    throw new Error(`wapiti wrote no report: ${text.slice(-400)}`)
  })
  const { vulnerabilities, anomalies } = reportSchema.parse(JSON.parse(written))
  const found = Object.entries({ ...vulnerabilities, ...anomalies }).flatMap(([kind, ones]) =>
    ones.map(({ info, path }) => `wapiti ${kind}: ${path}: ${info}`),
  )
  process.stdout.write(`wapiti, ${modules} modules over ${starts.length} addresses: ${found.length} findings\n`)
  return found
}

async function scan({ url, token }: Target, seconds: number): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-security-'))
  try {
    const { plain, withParameters } = await addresses(url)
    const findings: string[] = []
    for (const address of withParameters) findings.push(...(await sqlmap(address, token, folder, seconds)))
    findings.push(...(await wapiti(url, plain, token, folder, seconds)))
    return findings
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function main(args: string[]): Promise<void> {
  const options = { url: { type: 'string' }, token: { type: 'string' }, seconds: { type: 'string' } } as const
  const { values } = parseArgs({ args, options })
  const seconds = Number(values.seconds ?? '90')
  if (!Number.isInteger(seconds) || seconds < 1) throw misuse('--seconds needs a whole number.')
  if ((values.url === undefined) !== (values.token === undefined)) throw misuse('--url and --token go together.')
  if (values.url !== undefined && URL.parse(values.url) === null) throw misuse('--url needs an address.')
  await requireTools(['sqlmap', 'wapiti'])
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort())
  const target: Target =
    values.url !== undefined && values.token !== undefined
      ? { url: new URL(values.url).origin, token: values.token, stop: () => Promise.resolve() }
      : await startLocal(stopping.signal)
  try {
    const findings = await scan(target, seconds)
    if (findings.length > 0) throw new Error(`${findings.join('\n')}\n${findings.length} findings.`)
    process.stdout.write('Neither scanner found anything.\n')
  } finally {
    await target.stop()
  }
}

if (import.meta.main) await runCommand(HELP, main)
