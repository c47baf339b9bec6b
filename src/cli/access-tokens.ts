// `npm run access-tokens`: replaces the access tokens of all items by new ones, through the Worker, which alone has them.
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { adminApi, type Call } from './lib/admin-api.ts'

const help = `npm run access-tokens -- rotate [--before TIME] [--url URL]
npm run access-tokens -- status --before TIME [--url URL]

rotate replaces every access token that is older than TIME (now unless given) by a new one at Plaid, at most two a second, and
waits until it is done. Interrupted, it continues with the TIME that it printed. status prints how many are left.
ADMIN_TOKEN is an administrator's access token (locally: npm run token -- --sub operator --role admin).
  --before TIME  ISO 8601, such as 2026-03-02T09:30:00Z
  --url URL      the Worker (http://127.0.0.1:8787, or PORT's)`

const path = '/api/v1/admin/access_tokens'
const progressSchema = z.object({ before: z.string(), total: z.int(), remaining: z.int() })
type Progress = z.output<typeof progressSchema>

const pollMs = 10_000
/** A pass over the items waits five minutes for the one before. */
const stalledAfterMs = 12 * 60_000

const status = async (call: Call, before: string): Promise<Progress> =>
  progressSchema.parse(await call('GET', `${path}?before=${encodeURIComponent(before)}`))

const print = ({ before, total, remaining }: Progress): void =>
  void process.stdout.write(`older than ${before}: ${remaining} of ${total} access tokens\n`)

async function rotate(call: Call, given: string | null): Promise<void> {
  const body = given === null ? {} : { before: given }
  let progress = progressSchema.parse(await call('POST', `${path}/rotate`, body))
  print(progress)
  let changedAtMs = Date.now()
  while (progress.remaining > 0 && Date.now() - changedAtMs < stalledAfterMs) {
    await delay(pollMs)
    const next = await status(call, progress.before)
    if (next.remaining !== progress.remaining) {
      changedAtMs = Date.now()
      print(next)
    }
    progress = next
  }
  if (progress.remaining > 0)
    throw new Error(
      `The rotation stopped. The log names the items (rotation_failed); run it again with --before ${progress.before}.`,
    )
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    options: { url: { type: 'string' }, before: { type: 'string' } },
    allowPositionals: true,
  })
  const [action, ...others] = positionals
  if (others.length > 0) throw misuse(`There is no argument ${others.join(' ')}.`)
  const before = values.before ?? null
  if (before !== null && !z.iso.datetime().safeParse(before).success)
    throw misuse(`--before ${before} is no time such as 2026-03-02T09:30:00Z.`)
  if (action === 'rotate') await rotate(adminApi(values.url, process.env), before)
  else if (action === 'status' && before !== null) print(await status(adminApi(values.url, process.env), before))
  else throw misuse('Say rotate, or status with --before.')
}

if (import.meta.main) await runCommand(help, main)
