// `npm run retention`: what a running Worker would delete because it is kept no longer, and deleting it now.
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { adminApi, type Call } from './lib/admin-api.ts'

const help = `npm run retention -- plan [--url URL]
npm run retention -- run [--url URL]

plan prints how many rows of each class of data are past their retention, and up to which time.
run deletes them, as the daily cron does, and prints how many. It can be interrupted and repeated.
docs/retention.md lists the classes.
ADMIN_TOKEN is an administrator's access token (locally: npm run token -- --sub operator --role admin).
  --url URL  the Worker (http://127.0.0.1:8787, or PORT's)`

const planSchema = z.object({
  data: z.array(z.object({ name: z.string(), before: z.string().nullable(), due: z.int() })),
})
const runSchema = z.object({ purged: z.record(z.string(), z.int()), done: z.boolean() })

const path = '/api/v1/admin/retention'

async function plan(call: Call): Promise<void> {
  for (const { name, before, due } of planSchema.parse(await call('GET', path)).data)
    process.stdout.write(`${name}: ${due} rows ${before === null ? 'that have expired' : `from before ${before}`}\n`)
}

async function run(call: Call): Promise<void> {
  const total = new Map<string, number>()
  for (let done = false; !done;) {
    const answer = runSchema.parse(await call('POST', `${path}/run`))
    for (const [name, rows] of Object.entries(answer.purged)) total.set(name, (total.get(name) ?? 0) + rows)
    done = answer.done
  }
  for (const [name, rows] of total) process.stdout.write(`${name}: ${rows} rows deleted\n`)
  if (total.size === 0) process.stdout.write('Nothing was due.\n')
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args, options: { url: { type: 'string' } }, allowPositionals: true })
  const [action, ...others] = positionals
  if (others.length > 0) throw misuse(`There is no argument ${others.join(' ')}.`)
  if (action === 'plan') await plan(adminApi(values.url, process.env))
  else if (action === 'run') await run(adminApi(values.url, process.env))
  else throw misuse('Name one of plan and run.')
}

if (import.meta.main) await runCommand(help, main)
