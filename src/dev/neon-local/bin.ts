#!/usr/bin/env node
// `npx neon-local`: starts the endpoint in front of a PostgreSQL server, and stops it on SIGINT or SIGTERM. Exit codes:
// 0 stopped, 1 failed, 2 wrong arguments. Never prints a password.
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { neonRequestLimits } from './rate-limit.ts'
import { parseConnectionString } from './request.ts'
import { type NeonEndpointOptions, startNeonEndpoint } from './server.ts'

const help = `npx neon-local --postgres postgres://USER:PASSWORD@HOST:PORT/DATABASE [options]

Serves Neon's SQL-over-HTTP and WebSocket protocols in front of a PostgreSQL server, for @neondatabase/serverless.
Ctrl-C stops it; the PostgreSQL server keeps running.

  --postgres URL           the PostgreSQL server, or NEON_LOCAL_POSTGRES in the environment, which keeps the password
                           out of the process list. Clients send their own login with each request; every client
                           reaches this server, for any host in its connection string.
  --port NUMBER            TCP port (4444); 0 takes a free one
  --host ADDRESS           address to listen on (127.0.0.1)
  --max-connections NUMBER connections to PostgreSQL of all logins together; further requests fail as at Neon. Without
                           it they wait.
  --request-limits         applies Neon's limits of requests a second, minute and ten minutes
  --help                   prints this text`

class UsageError extends Error {}

const connectTimeoutMs = 5_000

function wholeNumber(option: string, text: string, minimum: number, maximum: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= minimum && value <= maximum) return value
  throw new UsageError(`${option} takes a whole number from ${minimum} to ${maximum}, not "${text}".`)
}

function readOptions(args: string[]): NeonEndpointOptions {
  const { values } = parseArgs({
    args,
    options: {
      postgres: { type: 'string' },
      port: { type: 'string', default: '4444' },
      host: { type: 'string', default: '127.0.0.1' },
      'max-connections': { type: 'string' },
      'request-limits': { type: 'boolean', default: false },
    },
  })
  const postgresUrl = values.postgres ?? process.env['NEON_LOCAL_POSTGRES'] ?? ''
  if (postgresUrl === '') throw new UsageError('--postgres is missing.')
  if (parseConnectionString(postgresUrl) === null)
    throw new UsageError('--postgres takes postgres://USER:PASSWORD@HOST:PORT/DATABASE.')
  const limit = values['max-connections']
  return {
    postgresUrl,
    port: wholeNumber('--port', values.port, 0, 65_535),
    host: values.host,
    log: () => undefined,
    ...(limit !== undefined && { maxConnections: wholeNumber('--max-connections', limit, 1, 100_000) }),
    ...(values['request-limits'] && { requestLimits: neonRequestLimits }),
  }
}

/** Rejects with a sentence that names host and port if PostgreSQL cannot be reached with this login. */
async function checkPostgres(postgresUrl: string): Promise<string> {
  const { host } = new URL(postgresUrl)
  const client = new Client({ connectionString: postgresUrl, connectionTimeoutMillis: connectTimeoutMs })
  try {
    await client.connect()
    await client.end()
  } catch (error) {
    const reason = error instanceof AggregateError ? String(error.errors[0]) : String(error)
    throw new Error(`PostgreSQL at ${host} cannot be reached: ${reason}`, { cause: error })
  }
  return host
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
  const host = await checkPostgres(options.postgresUrl)
  const endpoint = await startNeonEndpoint(options)
  process.stdout.write(`neon-local listens on ${endpoint.url}, in front of PostgreSQL at ${host}. Ctrl-C stops it.\n`)
  await stopped
  await endpoint.stop()
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
