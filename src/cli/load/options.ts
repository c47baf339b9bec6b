// The options of `npm run load`, and their bounds: every run ends by itself, and opens few connections.
import { parseArgs } from 'node:util'
import { misuse } from '../../dev/lib/run-command.ts'

export interface LoadOptions {
  /** The deployment to load; null starts one on this machine. */
  readonly url: string | null
  /** Access tokens of one user each. */
  readonly tokens: readonly string[]
  /** Whether the operator says that the deployment is theirs. */
  readonly isOwn: boolean
  /** The length of each phase. */
  readonly seconds: number
  readonly connections: number
  /** The length of the soak; null for none. */
  readonly soakMinutes: number | null
  readonly json: boolean
}

export const bounds = {
  seconds: { from: 1, to: 300, usual: 10 },
  connections: { from: 1, to: 100, usual: 10 },
  soak: { from: 1, to: 240 },
} as const

function wholeNumber(name: 'seconds' | 'connections' | 'soak', text: string): number {
  const { from, to } = bounds[name]
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (value >= from && value <= to) return value
  throw misuse(`--${name} is a whole number from ${from} to ${to}.`)
}

/** @param environment LOAD_TOKEN is a token that stays out of the list of processes */
export function readLoadOptions(args: string[], environment: NodeJS.ProcessEnv): LoadOptions {
  const { values } = parseArgs({
    args,
    options: {
      url: { type: 'string' },
      token: { type: 'string', multiple: true, default: [] },
      'i-own-this': { type: 'boolean', default: false },
      seconds: { type: 'string', default: String(bounds.seconds.usual) },
      connections: { type: 'string', default: String(bounds.connections.usual) },
      soak: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const { url = null, soak } = values
  const given = environment['LOAD_TOKEN']
  const tokens = [...values.token, ...(given && url !== null ? [given] : [])]
  if (url === null && (tokens.length > 0 || values['i-own-this']))
    throw misuse('--token and --i-own-this are for a deployment that --url names.')
  if (url !== null && tokens.length === 0) throw misuse('--url needs a --token, or LOAD_TOKEN, for the reads.')
  if (tokens.some((token) => !/^[\w.~+/=-]+$/.test(token))) throw misuse('A --token is not an access token.')
  if (url !== null && soak !== undefined) throw misuse('--soak reads the memory of a local Worker: leave out --url.')
  return {
    url,
    tokens,
    isOwn: values['i-own-this'],
    seconds: wholeNumber('seconds', values.seconds),
    connections: wholeNumber('connections', values.connections),
    soakMinutes: soak === undefined ? null : wholeNumber('soak', soak),
    json: values.json,
  }
}
