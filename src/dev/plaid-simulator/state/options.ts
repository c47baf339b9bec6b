// What the caller of the simulator may choose, and what holds when nothing is chosen.
import { defaultLimits, type LimitTable } from '../lib/rate-limit.ts'

export interface SimulatorOptions {
  /** The TCP port; 0 takes a free one. */
  port: number
  /** The address to listen on: 127.0.0.1 unless given. */
  host?: string
  /** The same seed and the same calls give the same ids, tokens and bank. */
  seed?: string
  clientId: string
  secret: string
  /** Called with one line for what goes wrong outside a request (a webhook that nobody takes). */
  log?: (line: string) => void
  /** When an item's history arrives, counted from the exchange; `manual` waits for the control. */
  historyDelayMs?: { initial: number; historical: number } | 'manual'
  /** The wait before a webhook's first retry; each next wait is four times longer. Plaid's is 30 seconds. */
  webhookRetryBaseMs?: number
  /** How long a webhook's receiver may take. Plaid's limit is 10 seconds. */
  webhookTimeoutMs?: number
  /** How long /link/token/get tells of a session after its end. Plaid's time is six hours. */
  linkSessionLifeMs?: number
  /** Keeps what happened in this file, so that the next start goes on from there; null forgets. Its seed goes before `seed`. */
  journalFile?: string | null
  /** An older client of Plaid's user API: `/user/create` answers with a `user_token` and an id without a prefix. */
  legacyUsers?: boolean
  /** The categories that the client gets: `v1` unless it asks for v2, or `v2` only. Plaid decides by the client's first use. */
  categoryVersion?: 'v1' | 'v2'
  /** Calls a minute by endpoint; `false` switches the limits off. */
  rateLimits?: false | LimitTable
}

export type Settings = Required<SimulatorOptions>

/** Plaid's own behaviour for whatever the caller left open. */
export function settingsFrom(options: SimulatorOptions): Settings {
  return {
    host: '127.0.0.1',
    seed: 'wealthnavigator',
    log: () => undefined,
    historyDelayMs: { initial: 50, historical: 200 },
    webhookRetryBaseMs: 30_000,
    webhookTimeoutMs: 10_000,
    linkSessionLifeMs: 6 * 3_600_000,
    rateLimits: defaultLimits,
    journalFile: null,
    legacyUsers: false,
    categoryVersion: 'v2',
    ...options,
  }
}
