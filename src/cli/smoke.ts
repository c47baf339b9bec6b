// `npm run smoke`: asks a deployment from outside whether it serves, and whether it refuses what it must.
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { describeReport, describeResult } from './lib/checks.ts'
import { runSmoke } from './smoke/run.ts'

const help = `npm run smoke -- --url URL [--token TOKEN] [--header 'NAME: VALUE']… [--after-deploy [--since FILE]]

Asks a deployment from outside: certificate, versions of TLS, plain http, /health, /ready, security headers, refused tokens,
refused webhooks, CORS of a foreign origin, and with a token one row of every list of a user. Exits 1 when a check fails. Changes nothing.
  --url URL         the deployment, such as https://api.example.com
  --token TOKEN     an access token for the reads; SMOKE_TOKEN does the same and stays out of the list of processes
  --header          a header for every request; can be repeated
  --after-deploy    also reads the admin routes, for the first 24 hours: errors, times, syncs, webhooks, backups, security
                    log. The token must be an administrator's
  --since FILE      the metrics as GET /api/v1/admin/metrics gave them at the deployment: errors and times count from there`

function headersOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const found = /^([\w-]+):\s*(\S.*)$/.exec(line)
      if (found?.[1] === undefined || found[2] === undefined) throw misuse(`--header ${line} is not NAME: VALUE.`)
      return [found[1].toLowerCase(), found[2]]
    }),
  )
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      url: { type: 'string' },
      token: { type: 'string' },
      header: { type: 'string', multiple: true, default: [] },
      'after-deploy': { type: 'boolean', default: false },
      since: { type: 'string' },
    },
  })
  const parsed = URL.parse(values.url ?? '')
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw misuse('Say with --url which deployment, as an http(s) URL.')
  const token = values.token ?? (process.env['SMOKE_TOKEN'] || undefined)
  const afterDeploy = values['after-deploy']
  if (afterDeploy && token === undefined) throw misuse("--after-deploy needs an administrator's --token.")
  if (values.since !== undefined && !afterDeploy) throw misuse('--since goes with --after-deploy.')
  const metricsBefore = values.since === undefined ? undefined : await readFile(values.since, 'utf8')
  const print = (line: string) => void process.stdout.write(`${line}\n`)
  const target = { url: parsed.origin, headers: headersOf(values.header), token, afterDeploy, metricsBefore }
  const report = await runSmoke(target, { onResult: (result) => print(describeResult(result)) })
  print(describeReport(report))
  if (!report.ok) throw new Error(`The smoke test of ${parsed.origin} failed.`)
}

if (import.meta.main) await runCommand(help, main)
