// Creates the simulator's initial state: no items, no users, the bank's clock at today.
import { randomUUID } from 'node:crypto'
import { bankClock } from './lib/clock.ts'
import { seededIds } from './lib/ids.ts'
import { rateLimits } from './lib/rate-limit.ts'
import { timers } from './lib/timers.ts'
import { clientKindOf } from './state/client-kind.ts'
import type { Journal } from './state/journal.ts'
import type { Settings } from './state/options.ts'
import type { Site, World } from './state/world.ts'
import { webhookDelivery } from './webhooks/delivery.ts'
import { signingKeys } from './webhooks/keys.ts'

export function createWorld(settings: Settings, seed: string, journal: Journal, site: Site): World {
  const ids = seededIds(seed)
  const running = timers(settings.log)
  // Random, not from the seed: receivers cache keys by kid, so a kid must never name two keys.
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
    linkPages: new Map(),
    site,
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
