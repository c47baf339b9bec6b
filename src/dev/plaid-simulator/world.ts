// Everything that one simulator holds, in memory. A reset makes a new world; nothing is shared between two.

import { randomUUID } from 'node:crypto'

import type { Alteration } from './alterations.ts'
import type { ClientKind } from './client-kind.ts'
import { clientKindOf } from './client-kind.ts'
import type { Clock } from './clock.ts'
import { bankClock } from './clock.ts'
import type { Fault } from './faults.ts'
import type { Ids } from './ids.ts'
import { seededIds } from './ids.ts'
import type { Item } from './item.ts'
import type { Journal } from './journal.ts'
import type { Login } from './logins.ts'
import type { PublicToken } from './link-session.ts'
import type { LinkToken } from './link-token.ts'
import type { Settings } from './options.ts'
import type { RateLimits } from './rate-limit.ts'
import { rateLimits } from './rate-limit.ts'
import type { User } from './users.ts'
import type { Timers } from './timers.ts'
import { timers } from './timers.ts'
import type { WebhookDelivery } from './webhooks/delivery.ts'
import { webhookDelivery } from './webhooks/delivery.ts'
import type { WebhookBody } from './webhooks/events.ts'
import type { SigningKeys } from './webhooks/keys.ts'
import { signingKeys } from './webhooks/keys.ts'

/** One API call that was answered, or cut. */
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

export interface World {
  readonly seed: string
  readonly settings: Settings
  readonly clock: Clock
  readonly ids: Ids
  readonly timers: Timers
  readonly keys: SigningKeys
  readonly delivery: WebhookDelivery
  readonly limits: RateLimits
  /** By item id, oldest first; removed ones stay, so that they are known to be gone. */
  readonly items: Map<string, Item>
  /** By institution, user name and custom user. */
  readonly logins: Map<string, Login>
  /** Item ids by access token; an invalidated token is not in it. */
  readonly accessTokens: Map<string, string>
  readonly publicTokens: Map<string, PublicToken>
  readonly linkTokens: Map<string, LinkToken>
  /** By user id. */
  readonly users: Map<string, User>
  readonly removedUserIds: Set<string>
  readonly faults: Fault[]
  readonly alterations: Alteration[]
  /** Who calls. */
  readonly client: ClientKind
  readonly calls: CallRecord[]
  readonly journal: Journal
  /** While a journal is lived again nothing is sent and nothing is scheduled. */
  replaying: boolean
}

export function createWorld(settings: Settings, seed: string, journal: Journal): World {
  const ids = seededIds(seed)
  const running = timers(settings.log)
  // Not by seed: a receiver that caches keys must never find another key under a kid that it knows.
  const keys = signingKeys(() => randomUUID())
  return {
    seed,
    settings,
    clock: bankClock(),
    ids,
    timers: running,
    keys,
    delivery: webhookDelivery({ keys, timers: running, settings }),
    limits: rateLimits(settings.rateLimits),
    items: new Map(),
    logins: new Map(),
    accessTokens: new Map(),
    publicTokens: new Map(),
    linkTokens: new Map(),
    users: new Map(),
    removedUserIds: new Set(),
    faults: [],
    alterations: [],
    client: clientKindOf(settings),
    calls: [],
    journal,
    replaying: false,
  }
}

/** Sends webhooks about the item, in this order, if it has a URL to send them to; gives those that were sent. */
export function sendWebhooks(world: World, item: Item, bodies: readonly WebhookBody[]): readonly WebhookBody[] {
  const { webhook } = item
  if (webhook === null || item.status === 'removed') return []
  for (const body of bodies) {
    if (!world.replaying) world.delivery.send(item.itemId, webhook, body)
    item.lastWebhook = { sent_at: world.clock.timestamp(), code_sent: body.webhook_code }
  }
  return bodies
}
