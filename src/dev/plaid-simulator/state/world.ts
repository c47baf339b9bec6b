// The complete state of one simulator, in memory. A reset makes a new world; two worlds share nothing.
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { RateLimits } from '../lib/rate-limit.ts'
import type { Timers } from '../lib/timers.ts'
import type { Alteration } from './alterations.ts'
import type { ClientKind } from './client-kind.ts'
import type { Fault } from './faults.ts'
import type { Item } from './item.ts'
import type { Journal } from './journal.ts'
import type { LinkPage } from './link-page.ts'
import type { LinkToken, PublicToken } from './link-token.ts'
import type { Login } from './login.ts'
import type { Settings } from './options.ts'
import type { User } from './user.ts'
import type { SigningKeys, WebhookDelivery } from './webhooks.ts'

/** One API call and its outcome. */
export interface CallRecord {
  endpoint: string
  item_id: string | null
  /** Null when the connection was cut. */
  status: number | null
  error_code: string | null
  request_id: string
  time: string
  duration_ms: number
}

/** The address is known once the server listens. */
export interface Site {
  url: string
}

export interface World {
  readonly seed: string
  readonly settings: Settings
  readonly clock: Clock
  readonly ids: Ids
  readonly timers: Timers
  readonly keys: SigningKeys
  readonly delivery: WebhookDelivery
  readonly limits: RateLimits
  /** By item id, oldest first. Removed items stay, so that their tokens return ITEM_NOT_FOUND. */
  readonly items: Map<string, Item>
  /** By institution, user name and custom user. */
  readonly logins: Map<string, Login>
  /** Item ids by access token, without invalidated tokens. */
  readonly accessTokens: Map<string, string>
  readonly publicTokens: Map<string, PublicToken>
  readonly linkTokens: Map<string, LinkToken>
  /** By link token: what the browser shows. A restart forgets it. */
  readonly linkPages: Map<string, LinkPage>
  /** Where browsers reach this simulator. */
  readonly site: Site
  /** By user id. */
  readonly users: Map<string, User>
  readonly removedUserIds: Set<string>
  readonly faults: Fault[]
  readonly alterations: Alteration[]
  /** The kind of the calling client. */
  readonly client: ClientKind
  readonly calls: CallRecord[]
  readonly journal: Journal
  /** While a journal is replayed, nothing is sent and nothing is scheduled. */
  replaying: boolean
}
