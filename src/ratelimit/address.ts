// Maps a client's address to the object and the log that count its requests. All spellings of an address map to the
// same; invalid addresses share one strict bucket.
import { embeddedIpv4, parseIpv4, parseIpv6 } from '../ip-address.ts'

export interface Client {
  /** Name of the object with the logs. */
  readonly object: string
  /** The log's key in the object: the address, or the /64 of an IPv6 address, the smallest range of one subscriber. */
  readonly place: string
  /** The /48 of an IPv6 address, else null. */
  readonly network: string | null
}

/** All clients without a known address, as one client. */
const strict: Client = { object: 'unknown', place: 'unknown', network: null }

/** Whether the client's address is unknown. */
export const isUnknown = (client: Client): boolean => client === strict

/** The /24 of an IPv4 address, the /48 of an IPv6 address, else the client itself. */
export const networkOf = ({ place, network }: Client): string =>
  network ?? (parseIpv4(place) === null ? place : place.replace(/\d+$/, '0/24'))

/**
 * The /16 of an IPv4 address or the /32 of an IPv6 address, the smallest range of one provider; else the client itself.
 * An attacker with many networks of one provider counts once.
 */
export function providerOf({ place, network }: Client): string {
  if (network !== null) return `${network.split(':').slice(0, 2).join(':')}::/32`
  return parseIpv4(place) === null ? place : place.replace(/\.\d+\.\d+$/, '.0.0/16')
}

/** The source address of requests by Workers of all Cloudflare customers. */
export const sharedByWorkers = '2a06:98c0:3600::103'

function ipv4Client(octets: readonly number[]): Client {
  const address = octets.join('.')
  return { object: `ip:${address}`, place: address, network: null }
}

function prefix(groups: readonly number[], bits: 48 | 64): string {
  const named = groups.slice(0, bits / 16).map((group) => group.toString(16))
  return `${named.join(':')}::/${bits}`
}

const isHostname = (text: string): boolean => /^(?=.{1,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/i.test(text)

function workerClient(zone: string | null): Client {
  if (zone === null || !isHostname(zone)) return strict
  const place = zone.toLowerCase()
  return { object: `worker:${place}`, place, network: null }
}

const workersGroups = parseIpv6(sharedByWorkers)?.join()

/**
 * The client against which a request counts.
 * @param address `CF-Connecting-IP`. No other header is used, because a client can send anything in it.
 * @param zone `CF-Worker`, which Cloudflare sets on requests by Workers
 */
export function clientOf(address: string | null, zone: string | null): Client {
  if (address === null) return strict
  const octets = parseIpv4(address)
  if (octets !== null) return ipv4Client(octets)
  const groups = parseIpv6(address)
  if (groups === null) return strict
  const embedded = embeddedIpv4(groups)
  if (embedded !== null) return ipv4Client(embedded)
  if (groups.join() === workersGroups) return workerClient(zone)
  const network = prefix(groups, 48)
  return { object: `ip:${network}`, place: prefix(groups, 64), network }
}
