#!/usr/bin/env node
// `npx plaid-simulator`: starts the simulator and stops it on SIGINT or SIGTERM. Exit codes: 0 stopped, 1 failed, 2
// wrong arguments.
import { parseArgs } from 'node:util'
import { startSimulator, type SimulatorOptions } from './server.ts'
import { longestHistoryDays } from './state/options.ts'

const help = `npx plaid-simulator [options]

Simulates Plaid's API on this machine, with a bank behind each login. Ctrl-C stops it.

  --port NUMBER            TCP port (8788); 0 takes a free one
  --host ADDRESS           address to listen on (127.0.0.1)
  --client-id TEXT         accepted client_id (simulator)
  --secret TEXT            accepted secret (simulator)
  --seed TEXT              the same seed and the same calls return the same ids, tokens and banks (wealthnavigator)
  --journal FILE           keeps the state in this file and continues from it at the next start; in memory without it
  --history-delay MS,MS    delay of an item's initial and historical update after the exchange (50,200), or
                           "manual": they wait for POST /simulator/items/{item_id}/bank {"history": …}
  --history-days NUMBER    days of history at generated banks, 1 to 730 (730)
  --webhook-retry MS       delay before the first retry of a webhook; each later one is four times longer (30000)
  --link-abandoned MS      time after the user's last action until an unfinished Link session is reported (600000)
  --category-version v1|v2 categories that a client gets without asking (v2)
  --legacy-users           /user/create responds as to clients from before December 2025
  --no-rate-limits         turns off Plaid's rate limits
  --help                   prints this text`

class UsageError extends Error {}

function wholeNumber(option: string, text: string, maximum: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= maximum)) throw new UsageError(`${option} takes a whole number up to ${maximum}, not "${text}".`)
  return value
}

const longestMs = 24 * 3_600_000

function historyDelay(text: string): SimulatorOptions['historyDelayMs'] & {} {
  if (text === 'manual') return 'manual'
  const [initial = '', historical = '', ...rest] = text.split(',')
  if (rest.length > 0 || historical === '') throw new UsageError('--history-delay takes two numbers or "manual".')
  return {
    initial: wholeNumber('--history-delay', initial, longestMs),
    historical: wholeNumber('--history-delay', historical, longestMs),
  }
}

function historyDays(text: string): number {
  const days = wholeNumber('--history-days', text, longestHistoryDays)
  if (days === 0) throw new UsageError('--history-days takes at least 1.')
  return days
}

function categoryVersion(text: string): 'v1' | 'v2' {
  if (text === 'v1' || text === 'v2') return text
  throw new UsageError(`--category-version takes v1 or v2, not "${text}".`)
}

function readOptions(args: string[]): SimulatorOptions {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: '8788' },
      host: { type: 'string', default: '127.0.0.1' },
      'client-id': { type: 'string', default: 'simulator' },
      secret: { type: 'string', default: 'simulator' },
      seed: { type: 'string' },
      journal: { type: 'string' },
      'history-delay': { type: 'string' },
      'history-days': { type: 'string' },
      'webhook-retry': { type: 'string' },
      'link-abandoned': { type: 'string' },
      'category-version': { type: 'string' },
      'legacy-users': { type: 'boolean', default: false },
      'no-rate-limits': { type: 'boolean', default: false },
    },
  })
  return {
    port: wholeNumber('--port', values.port, 65_535),
    host: values.host,
    clientId: values['client-id'],
    secret: values.secret,
    legacyUsers: values['legacy-users'],
    log: (line) => void process.stderr.write(`${line}\n`),
    ...(values.seed !== undefined && { seed: values.seed }),
    ...(values.journal !== undefined && { journalFile: values.journal }),
    ...(values['history-delay'] !== undefined && { historyDelayMs: historyDelay(values['history-delay']) }),
    ...(values['history-days'] !== undefined && { historyDays: historyDays(values['history-days']) }),
    ...(values['webhook-retry'] !== undefined && {
      webhookRetryBaseMs: wholeNumber('--webhook-retry', values['webhook-retry'], longestMs),
    }),
    ...(values['link-abandoned'] !== undefined && {
      linkAbandonedMs: wholeNumber('--link-abandoned', values['link-abandoned'], longestMs),
    }),
    ...(values['category-version'] !== undefined && { categoryVersion: categoryVersion(values['category-version']) }),
    ...(values['no-rate-limits'] && { rateLimits: false }),
  }
}

/** Resolves at the first SIGINT or SIGTERM. A second one ends the process immediately. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}

async function main(args: string[]): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) return void process.stdout.write(`${help}\n`)
  const options = readOptions(args)
  const stopped = stopSignal()
  const simulator = await startSimulator(options)
  process.stdout.write(`plaid-simulator listens on ${simulator.url}. Ctrl-C stops it.\n`)
  await stopped
  await simulator.stop()
}

function isUsageError(error: Error): boolean {
  return error instanceof UsageError || ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
}

function explain(error: Error): string {
  if (isUsageError(error)) return `${error.message}\nTry --help.`
  const code = 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') return 'The port is in use: stop the other program, or choose another --port.'
  if (code === 'EADDRNOTAVAIL') return 'This machine does not have the address of --host.'
  return error.message
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  const failed = error instanceof Error ? error : new Error(String(error))
  process.stderr.write(`${explain(failed)}\n`)
  process.exitCode = isUsageError(failed) ? 2 : 1
})
