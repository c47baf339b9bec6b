// The types that the demo's steps share: their input and their result.
import type { Api } from '../lib/api-client.ts'
import type { Bank, Login } from '../lib/bank-client.ts'
import type { Entry, TableName } from './book.ts'
import type { Difference } from './compare.ts'

/** One user who links one bank. */
export interface Customer {
  readonly name: string
  readonly login: Login
  readonly api: Api
}

/** The same, with the bank linked. */
export interface Linked extends Customer {
  readonly itemId: string
  readonly plaidItemId: string
  /** The accounts as they were when the bank closed them. */
  readonly closed: Entry[]
}

/** The result of a step for one bank. */
export interface Finding {
  readonly customer: string
  /** What the step did, in a few words. */
  readonly summary: string
  readonly counts: Partial<Record<TableName, number>>
  readonly differences: readonly Difference[]
}

export interface Demo {
  /** The API as the user with this name. */
  readonly apiFor: (name: string) => Promise<Api>
  readonly bank: Bank
  /** Kills every process of the Worker, and starts it again. */
  readonly worker: { kill(): Promise<void>; restart(): Promise<void> }
  /** Triggers the cron of the sweep and waits for its end. */
  readonly sweep: () => Promise<unknown>
  /** Records a finding. */
  readonly found: (finding: Finding) => void
  /** Prints a progress line. */
  readonly say: (text: string) => void
  readonly signal: AbortSignal
  /** How long a change may take to arrive in the API. */
  readonly timeoutMs: number
}
