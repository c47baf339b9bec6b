// Logins at banks. Each has one bank, which several items can share; each item sees it through separate ids.
import type { Institution } from '../bank/institutions.ts'
import { playDays } from '../bank/invent.ts'
import type { Bank } from '../bank/model.ts'
import { openBank } from '../bank/open.ts'
import { randomFrom } from '../bank/random.ts'
import type { Day } from '../bank/values.ts'
import { failure } from '../lib/failure.ts'
import { seededIds } from '../lib/ids.ts'
import type { Item } from '../state/item.ts'
import type { Login } from '../state/login.ts'
import type { World } from '../state/world.ts'

export interface Credentials {
  institution: Institution
  username: string
  /** The parsed JSON of a custom user's password, or null. */
  customUser: unknown
}

/**
 * The login with these credentials, advanced to the current day, or a new one. `passed` reports whether days passed.
 * Fails with INVALID_FIELD and the field's name if a custom user does not describe a bank.
 */
export function loginWith(world: World, credentials: Credentials): { login: Login; passed: boolean } {
  const { institution, username, customUser } = credentials
  const key = JSON.stringify([institution.id, username, customUser])
  const known = world.logins.get(key)
  if (known !== undefined) return { login: known, passed: advanceTo(known, world.clock.today()) !== null }
  const seed = `${world.seed}/login/${key}`
  const made = seededIds(seed)
  const ids = (kind: string): string => made.next(kind)
  const today = world.clock.today()
  const { historyDays } = world.settings
  const bank = opened({ seed: world.seed, historyDays, ids, today, credentials })
  const login: Login = { institution, bank, ids, random: randomFrom(`${seed}/life`), playedUntil: today }
  world.logins.set(key, login)
  return { login, passed: false }
}

/** Advances the bank to `today`. Returns what changed, or null if the bank is already there. */
export function advanceTo(login: Login, today: Day): ReturnType<typeof playDays> | null {
  const { bank, random, ids, playedUntil } = login
  if (playedUntil >= today) return null
  login.playedUntil = today
  return playDays({ bank, from: playedUntil, to: today, random, ids })
}

/** The login's items that Plaid keeps up to date, or would if the login worked; oldest first. */
export function livingItems(world: World, login: Login): Item[] {
  return [...world.items.values()].filter(
    (item) => item.login === login && (item.status === 'good' || item.status === 'login_required'),
  )
}

interface Opening {
  seed: string
  historyDays: number
  ids: (kind: string) => string
  today: Day
  credentials: Credentials
}

function opened({ seed, historyDays, ids, today, credentials }: Opening): Bank {
  const { institution, username, customUser } = credentials
  try {
    return openBank({ seed, institutionId: institution.id, username, customUser, historyDays, today, ids })
  } catch (error) {
    if (customUser === null || !(error instanceof RangeError)) throw error
    throw failure('INVALID_FIELD', `options.override_password: ${error.message}`)
  }
}
