// Parses the arguments of `npm run conformance`. Sends nothing to a service without its flag.
import { parseArgs } from 'node:util'
import { misuse } from '../../dev/lib/run-command.ts'
import type { Tunnel } from './plaid.ts'

export interface Options {
  /** The owner's connection string of a scratch branch. */
  readonly neon: string | null
  readonly isUsedDatabaseAllowed: boolean
  readonly plaidSandbox: boolean
  readonly tunnel: Tunnel | null
  readonly cloudflare: boolean
  readonly slow: boolean
  readonly only: string
  readonly report: string
}

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

function tunnelOf(url: string | undefined, port: string | undefined): Tunnel | null {
  if (url === undefined && port === undefined) return null
  const number = Number(port)
  if (url === undefined || !Number.isInteger(number) || number < 1 || number > 65_535)
    throw misuse('--webhook-url needs --webhook-port, the local port that the URL leads to.')
  if (URL.parse(url)?.protocol !== 'https:') throw misuse('--webhook-url needs an https URL.')
  return { publicUrl: url, port: number }
}

/** @param defaultReport the file for the results unless --report names another */
export function parseOptions(args: string[], defaultReport: string): Options {
  const { values } = parseArgs({
    args,
    options: {
      neon: text,
      'used-database': flag,
      plaid: text,
      'webhook-url': text,
      'webhook-port': text,
      cloudflare: flag,
      slow: flag,
      only: text,
      report: text,
    },
  })
  const { neon = null, plaid, slow = false, only = '', report = defaultReport } = values
  if (neon !== null && !/^postgres(ql)?:\/\/.+@.+/.test(neon))
    throw misuse('--neon needs a postgres:// URL with a login.')
  if (plaid !== undefined && plaid !== 'sandbox') throw misuse('--plaid takes the word sandbox alone.')
  return {
    neon,
    isUsedDatabaseAllowed: values['used-database'] ?? false,
    plaidSandbox: plaid === 'sandbox',
    tunnel: tunnelOf(values['webhook-url'], values['webhook-port']),
    cloudflare: values.cloudflare ?? false,
    slow,
    only,
    report,
  }
}
