// The actions of the model, and what it knows of the expected state.
import type { Transaction } from '../../../src/db/records/transactions.ts'
import type { Moment } from '../fault-injection.ts'
import type { WholeFollower } from '../whole-feed.ts'
import type { World } from '../world.ts'
import type { Control } from './banks.ts'
import type { PortfolioStep } from './portfolio.ts'

/** The outgoing call at which an isolate dies, and whether that call takes effect; null for an isolate that lives. */
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

/** How often each event happened, over all sequences. A sequence without events proves nothing. */
export type Happened = Map<string, number>

export interface Chaos {
  readonly world: World
  readonly control: Control
  readonly subjects: readonly string[]
  readonly followers: ReadonlyMap<string, Follower>
  /** What the client of one user keeps of everything. */
  readonly copies: ReadonlyMap<string, WholeFollower>
  /** The possible notes of a transaction, by user and name; null for no note. */
  readonly notes: Map<string, Set<string | null>>
  /** Plaid's ids of items whose token may have died with an isolate. */
  readonly doomedTokens: Set<string>
  /** Accounts that were revoked before their item was stored here: Plaid's id of the item, a space, the account's name. */
  readonly neverShared: Set<string>
  /** Links a bank for each user, one of which invests, and writes a note on two of its transactions and on a pending one. */
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
  /** Two isolates drain the queue concurrently and meet at different items, while the users write notes. */
  drainTwice(): Promise<void>
  stall(nth: number, afterCalls: number): Promise<void>
  /**
   * While a run from the start waits at one of its calls to Plaid, the bank changes and the user requests a sync. With
   * `restart`, a run from its cursor waits and everything is requested from the start.
   */
  meanwhile(nth: number, wait: Wait, change: BankStep, restart: boolean): Promise<void>
  /** `pending` prefers pending transactions. */
  edit(subject: string, nth: number, note: string | null, pending?: boolean): Promise<void>
  poll(subject: string): Promise<void>
  cron(death: Death): Promise<void>
  resync(nth: number): Promise<void>
  pass(): Promise<void>
  /** Restarts the database after this many calls: connections are cut, unlogged tables emptied. */
  restart(afterCalls: number): Promise<void>
  heal(): Promise<void>
}

export interface BankStep extends PortfolioStep {
  readonly add: number
  readonly pending: number
  readonly modify: number
  readonly remove: number
  readonly post: number
  readonly silent: boolean
  readonly login: 'required' | 'repaired' | null
}

/** The call to Plaid at which a run waits, and whether it waits before or after Plaid's response. */
export interface Wait {
  readonly calls: number
  readonly moment: Moment
}

export interface Carriage {
  readonly twice: boolean
  readonly forged: boolean
  readonly lost: boolean
}
