// What the model can do, and what it knows of what must be true in the end.
import type { Transaction } from '../../../src/db/records/transactions.ts'
import type { Moment } from '../fault-injection.ts'
import type { World } from '../world.ts'
import type { Control } from './banks.ts'

/** At which of its calls to the outside an isolate dies, and whether the call still takes effect; null lives. */
export type Death = { readonly at: number; readonly moment: Moment } | null

export interface Login {
  readonly subject: string
  readonly username: string
}

/** What the client of one user has read of the change feed. */
interface Follower {
  since: number
  readonly seen: Map<string, Transaction>
}

/** How often things really happened, over all sequences: a sequence in which nothing happens proves nothing. */
export type Happened = Map<string, number>

export interface Chaos {
  readonly world: World
  readonly control: Control
  readonly subjects: readonly string[]
  readonly followers: ReadonlyMap<string, Follower>
  /** By user and name of a transaction: the notes that it may have; null among them for none. */
  readonly notes: Map<string, Set<string | null>>
  /** Plaid's ids of items whose token may have died with an isolate. */
  readonly doomedTokens: Set<string>
  /** Accounts that were revoked before their item was stored here: Plaid's id of the item, a space, the account's name. */
  readonly neverShared: Set<string>
  /** Each user has a bank, and a note on two of its transactions and on one that is pending. */
  settleIn(): Promise<void>
  /** With `leaves`, the client disconnects and sends the same request again while the first one still runs. */
  link(login: Login, death: Death, retry: boolean, leaves: boolean): Promise<void>
  remove(nth: number, purge: boolean, death: Death, leaves: boolean): Promise<void>
  /** The user revokes one account at Plaid, unless it is the item's last. */
  revokeAccount(nth: number, which: number): Promise<void>
  rotate(nth: number, death: Death, retry: boolean): Promise<void>
  bank(nth: number, change: BankStep): Promise<void>
  deliver(nth: number, how: Carriage, death: Death): Promise<void>
  drain(death: Death, lose: boolean): Promise<void>
  /** Two at once, which meet at different items, while the users write notes. */
  drainTwice(): Promise<void>
  stall(nth: number, afterCalls: number): Promise<void>
  /**
   * While a run from the start waits at one of its calls of Plaid, the bank changes and the user asks for a sync; with
   * `restart`, while a run from its cursor waits, everything is asked for from the start.
   */
  meanwhile(nth: number, wait: Wait, change: BankStep, restart: boolean): Promise<void>
  /** `pending` prefers transactions that are still to be posted. */
  edit(subject: string, nth: number, note: string | null, pending?: boolean): Promise<void>
  poll(subject: string): Promise<void>
  cron(death: Death): Promise<void>
  resync(nth: number): Promise<void>
  pass(): Promise<void>
  /** After so many calls the database restarts: its connections are cut, its unlogged tables emptied. */
  restart(afterCalls: number): Promise<void>
  heal(): Promise<void>
}

export interface BankStep {
  readonly add: number
  readonly pending: number
  readonly modify: number
  readonly remove: number
  readonly post: number
  readonly silent: boolean
  readonly login: 'required' | 'repaired' | null
}

/** At which of its calls of Plaid a run is held up, and whether Plaid has answered the call by then. */
export interface Wait {
  readonly calls: number
  readonly moment: Moment
}

export interface Carriage {
  readonly twice: boolean
  readonly forged: boolean
  readonly lost: boolean
}
