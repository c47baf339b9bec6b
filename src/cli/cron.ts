// `npm run cron -- NAME`: triggers one cron of the local stack, as Cloudflare would, and waits for its end.
import { parseArgs } from 'node:util'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { type CronName, cronSchedules, fireCron } from '../dev/stack/crons.ts'

const help = `npm run cron -- ${Object.keys(cronSchedules).join('|')} [--url URL]

Fires one cron of the local stack and waits until it is done. A frozen Worker runs none but the audit's.
  --url URL  where the stack is (http://127.0.0.1:8787, or PORT's)`

function isCron(name: string | undefined): name is CronName {
  return name !== undefined && name in cronSchedules
}

function localUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) throw misuse(`--url ${text} is no http(s) URL.`)
  return url.href
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args, options: { url: { type: 'string' } }, allowPositionals: true })
  const [name, ...more] = positionals
  if (!isCron(name) || more.length > 0) throw misuse(`Name one cron: ${Object.keys(cronSchedules).join(', ')}.`)
  const url = localUrl(values.url ?? `http://127.0.0.1:${process.env['PORT'] || '8787'}`)
  const ran = await fireCron(url, cronSchedules[name]).catch((error: unknown) => {
    if (!(error instanceof TypeError)) throw error
    throw new Error(`Nothing responds at ${url}: start the stack with \`npm run dev\`, or give --url.`, {
      cause: error,
    })
  })
  process.stdout.write(ran ? `${name} done\n` : `${name} skipped: the Worker is frozen (npm run freeze -- status)\n`)
}

if (import.meta.main) await runCommand(help, main)
