// The simulator's options and their defaults.
import { longestHistoryDays } from '../bank/history-days.ts'
import { defaultLimits, type LimitTable } from '../lib/rate-limit.ts'

export { longestHistoryDays }

export interface SimulatorOptions {
  /** The TCP port; 0 for a free one. */
  port: number
  /** The address to listen on; 127.0.0.1 by default. */
  host?: string
  /** The same seed and the same calls give the same ids, tokens and bank. */
  seed?: string
  clientId: string
  secret: string
  /** Receives one line for each error outside a request, such as a webhook that could not be delivered. */
  log?: (line: string) => void
  /** When an item's history arrives, counted from the exchange. `manual`: when a control triggers it. */
  historyDelayMs?: { initial: number; historical: number } | 'manual'
  /** Days of history at generated banks, 1 to 730. Custom users have the transactions that they describe. */
  historyDays?: number
  /** The wait before a webhook's first retry; each next wait is four times longer. Plaid's is 30 seconds. */
  webhookRetryBaseMs?: number
  /** The timeout of a webhook delivery. Plaid's limit is 10 seconds. */
  webhookTimeoutMs?: number
  /** How long /link/token/get returns a session after its end. Plaid's time is six hours. */
  linkSessionLifeMs?: number
  /**
   * How long after the user's last action on Link's pages an unfinished session counts as abandoned. Plaid takes 5 to 15
   * minutes.
   */
  linkAbandonedMs?: number
  /**
   * Keeps all events in this file, so that the next start continues from there; null keeps nothing. The file's seed and
   * days of history replace `seed` and `historyDays`.
   */
  journalFile?: string | null
  /**
   * Behaves as for clients of Plaid's older user API: `/user/create` returns a `user_token` and an id without a prefix.
   */
  legacyUsers?: boolean
  /**
   * The categories that the client gets: `v1` unless it requests v2, or `v2` only. Plaid decides by the date of the
   * client's first use.
   */
  categoryVersion?: 'v1' | 'v2'
  /** Calls a minute by endpoint; `false` switches the limits off. */
  rateLimits?: false | LimitTable
}

export type Settings = Required<SimulatorOptions>

/** Fills in Plaid's behaviour for absent options. */
export function settingsFrom(options: SimulatorOptions): Settings {
  return {
    host: '127.0.0.1',
    seed: 'wealthnavigator',
    log: () => undefined,
    historyDelayMs: { initial: 50, historical: 200 },
    historyDays: longestHistoryDays,
    webhookRetryBaseMs: 30_000,
    webhookTimeoutMs: 10_000,
    linkSessionLifeMs: 6 * 3_600_000,
    linkAbandonedMs: 10 * 60_000,
    rateLimits: defaultLimits,
    journalFile: null,
    legacyUsers: false,
    categoryVersion: 'v2',
    ...options,
  }
}
