// `npm run test:security`: runs two external scanners against the API of a throwaway local stack or of a given address.
// Fails on any finding. Never scans an address that was not given.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { planScan } from './security/requests.ts'
import { sqlmap } from './security/sqlmap.ts'
import { credentialsOf, remoteTarget, startLocalTarget, type Target } from './security/target.ts'
import { requireTools } from './security/tool.ts'
import { wapiti } from './security/wapiti.ts'

const help = `npm run test:security [-- --url URL [--token TOKEN [--admin-token TOKEN]]] [--seconds 90]
  [--level 1] [--only TEXT]

Drives sqlmap against every request that takes parameters (query, body, ids in the path) and wapiti against every GET:
of a local stack that it starts, links a bank to and throws away, or of a deployment, whose rate limits slow the scan.
Fails on any finding; a 5xx response is one. Requests that delete or erase are left out; others change the user's data.
  --url URL      your staging deployment, with --token, an access token of a test user who has linked a bank, and
                 --admin-token for the paths of administrators. SCAN_TOKEN and SCAN_ADMIN_TOKEN in the environment do the
                 same and stay out of the list of processes. Without a token, SCAN_EMAIL and SCAN_PASSWORD in the
                 environment are a built-in account of it without a second factor
  --seconds N    the most that each scan of sqlmap may take, and wapiti per module (90)
  --level N      how many ways sqlmap tries, 1 to 5 (1)
  --only TEXT    only URLs that contain TEXT
Needs both tools: apt-get install wapiti sqlmap`

interface Bounds {
  readonly seconds: number
  readonly level: number
  readonly only: string
  readonly signal: AbortSignal
}

const isAdmins = (path: string): boolean => path.startsWith('/api/v1/admin/')

async function scan({ url, tokenFor }: Target, { seconds, level, only, signal }: Bounds): Promise<string[]> {
  const plan = await planScan(url, async (path) => {
    const headers = { authorization: `Bearer ${await tokenFor({ isAdmin: isAdmins(path) })}` }
    const response = await fetch(`${url}${path}`, { headers, signal })
    return response.ok && response.headers.get('content-type') === 'application/json' ? await response.json() : null
  })
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-security-'))
  try {
    const findings: string[] = []
    const say = (line: string) => void process.stdout.write(`${line}\n`)
    const requests = plan.requests.filter((request) => request.url.includes(only))
    for (const request of requests) {
      const found = await sqlmap(request, { token: await tokenFor(request), folder, seconds, level, signal })
      findings.push(...found.findings)
      say(`sqlmap ${request.method} ${request.url} (${request.parameters.join(', ')}): ${found.ended}`)
    }
    const reads = plan.reads.filter((read) => read.includes(only))
    for (const isAdmin of [false, true]) {
      const starts = reads.filter((read) => isAdmins(new URL(read).pathname) === isAdmin)
      if (starts.length === 0) continue
      const found = await wapiti(url, starts, { token: await tokenFor({ isAdmin }), folder, seconds, level, signal })
      findings.push(...found.findings)
      say(`wapiti, ${found.modules} modules over ${starts.length} addresses: ${found.findings.length} findings`)
    }
    const tried = requests.reduce((sum, { parameters }) => sum + parameters.length, 0)
    say(`sqlmap tried ${tried} parameters of ${requests.length} requests, wapiti ${reads.length} addresses.`)
    return findings
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function main(args: string[]): Promise<void> {
  const text = { type: 'string' } as const
  const options = { url: text, token: text, 'admin-token': text, seconds: text, level: text, only: text }
  const { values } = parseArgs({ args, options })
  const { url } = values
  const seconds = Number(values.seconds ?? '90')
  if (!Number.isInteger(seconds) || seconds < 1) throw misuse('--seconds needs a whole number.')
  const level = Number(values.level ?? '1')
  if (![1, 2, 3, 4, 5].includes(level)) throw misuse('--level is 1, 2, 3, 4 or 5.')
  if (url === undefined && values.token !== undefined) throw misuse('--token needs --url.')
  if (url !== undefined && URL.parse(url) === null) throw misuse('--url needs an address.')
  const given = credentialsOf({ token: values.token, adminToken: values['admin-token'] }, process.env)
  const remote = url === undefined ? null : remoteTarget(url, given)
  process.stdout.write(`${(await requireTools(['sqlmap', 'wapiti'])).join(', ')}\n`)
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort())
  const { signal } = stopping
  const target = remote ?? (await startLocalTarget(signal))
  try {
    const findings = await scan(target, { seconds, level, only: values.only ?? '', signal })
    if (findings.length > 0) throw new Error(`${findings.join('\n')}\n${findings.length} findings.`)
    process.stdout.write('Neither scanner found anything.\n')
  } finally {
    await target.stop()
  }
}

if (import.meta.main) await runCommand(help, main)
