// Maps requests to limits: names, quotas, windows, and the objects that count them. Pure.
import { type Client, networkOf, providerOf } from './address.ts'
import type { Bucket, Limit } from './window.ts'

const minuteMs = 60_000
const hourMs = 3_600_000

/** Quotas without configuration. `RATE_LIMITS` replaces some. */
export const defaultLimits = {
  global: { quota: 100, windowMs: minuteMs },
  global_hour: { quota: 1000, windowMs: hourMs },
  address: { quota: 3000, windowMs: minuteMs },
  api_key: { quota: 3000, windowMs: minuteMs },
  auth: { quota: 5, windowMs: minuteMs },
  link: { quota: 10, windowMs: minuteMs },
  sync: { quota: 20, windowMs: minuteMs },
  sensitive: { quota: 3, windowMs: minuteMs },
  webhook_failed: { quota: 60, windowMs: minuteMs },
  webhook_repeated: { quota: 60, windowMs: minuteMs },
} as const satisfies Record<string, Omit<Limit, 'policy'>>

export type PolicyName = keyof typeof defaultLimits
/** A policy of a route, in addition to the global ones. */
export type RoutePolicy = 'auth' | 'link' | 'sync' | 'sensitive'
/** What a route declares. A webhook is limited when it fails or is repeated, a refresh by its session. */
export type RouteLimit = RoutePolicy | 'webhook' | 'refresh'

/** A refresh counts against its session. Only a failed one counts against the address, like a failed sign-in. */
export function policyOf(limit: RouteLimit | null): RoutePolicy | null {
  if (limit === 'refresh') return 'auth'
  return limit === 'webhook' ? null : limit
}

/** How many times the limit of an address a whole IPv6 /48 gets without a verified login. */
const networkFactor = 4

/** The share of the deployment's password hashes that unknown clients of one provider get. */
const providerShare = 1 / 6
const signedInMs = 30 * 24 * hourMs
const hashesObject = 'password_hashes'

function hashBucket(name: string, place: string, quota: number): Bucket {
  return { name, place, limits: [{ policy: name, quota: Math.ceil(quota), windowMs: minuteMs }] }
}

/** The buckets that one call of one object decides. */
export interface Target {
  /** The object's name. */
  readonly object: string
  readonly buckets: readonly Bucket[]
}

export interface Policies {
  /** The limits of a request without a login, or with one that does not verify. */
  ofRequest(client: Client, route: RoutePolicy | null): Target
  /** The limits of a webhook that failed verification. */
  ofFailedWebhook(client: Client): Target
  /** The limits of a webhook that was recorded before. */
  ofRepeatedWebhook(client: Client): Target
  /** The limit by address of a request with a verified login: many users can share an address. */
  ofLogin(client: Client): Target
  /** The limit of an API key, for all of its users together. `id` is the key's id. */
  ofApiKey(id: string): Target
  /** The limits of password hashes of an unknown client: of the deployment and of the provider. */
  ofHash(client: Client, perMinute: number): Target
  /** The part of it that all unknown clients share. */
  ofAllHashes(perMinute: number): Target
  /** The same for a client in a network from which someone has signed in. */
  ofHashForKnown(perMinute: number): Target
  /** Records for 30 days that someone signed in from the client's network. */
  ofSignedIn(client: Client): Target
  /**
   * The limits of a user's request. `key` is a digest that identifies the user or the account, never their own text.
   */
  ofUser(key: string, route: RoutePolicy | null): Target
}

type Quotas = Readonly<Partial<Record<PolicyName, number>>>

const limitOf = (name: PolicyName, quotas: Quotas): Limit => {
  const { quota, windowMs } = defaultLimits[name]
  return { policy: name, quota: quotas[name] ?? quota, windowMs }
}
const isPolicyName = (text: string): text is PolicyName => Object.hasOwn(defaultLimits, text)

/** The limit of each policy, with the operator's quotas in place of the defaults. */
export const policyLimits = (quotas: Quotas): readonly Limit[] =>
  Object.keys(defaultLimits)
    .filter(isPolicyName)
    .map((name) => limitOf(name, quotas))

/** @param quotas replace the defaults; each a positive integer */
export function createPolicies(quotas: Quotas = {}): Policies {
  const limit = (name: PolicyName): Limit => limitOf(name, quotas)
  const bucket = (name: PolicyName, place: string): Bucket => ({
    name,
    place,
    limits: name === 'global' ? [limit('global'), limit('global_hour')] : [limit(name)],
  })
  /** The same for a whole /48, under another name, because its quota is another. */
  const ofNetwork = (name: PolicyName, network: string | null): Bucket[] => {
    if (network === null) return []
    const { limits } = bucket(name, network)
    const wider = limits.map(({ policy, quota, windowMs }) => ({
      policy: `${policy}_network`,
      quota: quota * networkFactor,
      windowMs,
    }))
    return [{ name: `${name}_network`, place: network, limits: wider }]
  }
  const ofRoute = (route: RoutePolicy | null, place: string): Bucket[] => (route === null ? [] : [bucket(route, place)])
  return {
    ofRequest: ({ object, place, network }, route) => ({
      object,
      buckets: [
        bucket('global', place),
        ...ofRoute(route, place),
        ...ofNetwork('global', network),
        ...(route === 'auth' ? ofNetwork('auth', network) : []),
      ],
    }),
    ofFailedWebhook: ({ object, place, network }) => ({
      object,
      buckets: [bucket('webhook_failed', place), ...ofNetwork('webhook_failed', network)],
    }),
    ofRepeatedWebhook: ({ object, place, network }) => ({
      object,
      buckets: [bucket('webhook_repeated', place), ...ofNetwork('webhook_repeated', network)],
    }),
    ofLogin: ({ object, place }) => ({ object, buckets: [bucket('address', place)] }),
    ofApiKey: (id) => ({ object: `api_key:${id}`, buckets: [bucket('api_key', 'key')] }),
    ofHash: (client, perMinute) => ({
      object: hashesObject,
      buckets: [
        hashBucket('hashes', 'all', perMinute),
        hashBucket('hashes_provider', providerOf(client), perMinute * providerShare),
      ],
    }),
    ofAllHashes: (perMinute) => ({ object: hashesObject, buckets: [hashBucket('hashes', 'all', perMinute)] }),
    ofHashForKnown: (perMinute) => ({
      object: hashesObject,
      buckets: [hashBucket('hashes_known', 'all', perMinute)],
    }),
    ofSignedIn: (client) => ({
      object: `network:${networkOf(client)}`,
      buckets: [
        { name: 'signed_in', place: 'network', limits: [{ policy: 'signed_in', quota: 1, windowMs: signedInMs }] },
      ],
    }),
    ofUser: (key, route) => ({ object: `user:${key}`, buckets: [bucket('global', 'user'), ...ofRoute(route, 'user')] }),
  }
}
