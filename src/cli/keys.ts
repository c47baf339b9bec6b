// `npm run keys`: creates encryption keys, and shows and rotates those of a running Worker. The Worker's keys never
// leave it.
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { adminApi, type Call } from './lib/admin-api.ts'

const help = `npm run keys -- generate
npm run keys -- status [--url URL]
npm run keys -- rotate [--url URL]

generate prints a new key for ENCRYPTION_KEY: 32 random bytes in base64.
status prints which keys encrypted how many stored secrets, and whether the Worker can decrypt them.
rotate has the Worker encrypt every stored secret again with ENCRYPTION_KEY, and waits until it is done.
docs/deployment.md describes the whole rotation.
ADMIN_TOKEN is an administrator's access token (locally: npm run token -- --sub operator --role admin).
  --url URL  the Worker (http://127.0.0.1:8787, or PORT's)`

const reportSchema = z.object({
  current_key_id: z.string(),
  keys: z.array(z.object({ id: z.string(), readable: z.boolean(), values: z.record(z.string(), z.int()) })),
  remaining: z.int(),
})
type Report = z.output<typeof reportSchema>

const path = '/api/v1/admin/keys'
/** Each poll counts every stored secret. */
const pollMs = 10_000
/** A step can wait a minute before its retry. */
const stalledAfterMs = 5 * 60_000

const status = async (call: Call): Promise<Report> => reportSchema.parse(await call('GET', path))

function print({ current_key_id: current, keys, remaining }: Report): void {
  for (const { id, readable, values } of keys) {
    const counts = Object.entries(values).map(([place, count]) => `${place} ${count}`)
    const marks = [...(id === current ? ['current'] : []), ...(readable ? [] : ['NOT READABLE'])]
    process.stdout.write(`${[id, ...marks].join(' ')}: ${counts.join(', ') || 'no secrets'}\n`)
  }
  process.stdout.write(`secrets of other keys: ${remaining}\n`)
}

async function rotate(call: Call): Promise<void> {
  let report = reportSchema.parse(await call('POST', `${path}/rotate`))
  let changedAtMs = Date.now()
  while (report.remaining > 0 && Date.now() - changedAtMs < stalledAfterMs) {
    process.stdout.write(`secrets left: ${report.remaining}\n`)
    await delay(pollMs)
    const next = await status(call)
    if (next.remaining !== report.remaining) changedAtMs = Date.now()
    report = next
  }
  print(report)
  if (report.remaining > 0)
    throw new Error('The rotation stopped. The log names the secrets that it left (value_not_rewrapped); run it again.')
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args, options: { url: { type: 'string' } }, allowPositionals: true })
  const [action, ...others] = positionals
  if (others.length > 0) throw misuse(`There is no argument ${others.join(' ')}.`)
  if (action === 'generate') process.stdout.write(`${randomBytes(32).toString('base64')}\n`)
  else if (action === 'status') print(await status(adminApi(values.url, process.env)))
  else if (action === 'rotate') await rotate(adminApi(values.url, process.env))
  else throw misuse('Name one of generate, status and rotate.')
}

if (import.meta.main) await runCommand(help, main)
