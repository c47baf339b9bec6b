// Maps a client's address to the object and the log that count its requests. All spellings of an address map to the
// same; invalid addresses share one strict bucket.

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
const longestAddress = 45

/** Four decimal octets without leading zeros, which some parsers read as octal; else null. */
export function parseIpv4(text: string): number[] | null {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return null
  const octets = parts.map(Number)
  return octets.every((octet) => octet <= 255) ? octets : null
}

/** Hexadecimal groups, the last two optionally as an IPv4 address; null if invalid. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | null {
  if (text === '') return []
  const parts = text.split(':')
  const groups: number[] = []
  for (const [index, part] of parts.entries()) {
    const octets = mayEndInIpv4 && index === parts.length - 1 ? parseIpv4(part) : null
    if (octets !== null) {
      const [a = 0, b = 0, c = 0, d = 0] = octets
      groups.push(a * 256 + b, c * 256 + d)
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return null
  }
  return groups
}

/**
 * The eight groups of an IPv6 address in any spelling of RFC 4291 §2.2, else null. Refuses a zone (RFC 4007), which
 * only the machine that wrote it can interpret.
 */
export function parseIpv6(text: string): number[] | null {
  if (text.length > longestAddress || !text.includes(':')) return null
  const [head = '', tail, ...more] = text.split('::')
  if (more.length > 0) return null
  const before = parseGroups(head, tail === undefined)
  const after = tail === undefined ? [] : parseGroups(tail, true)
  if (before === null || after === null) return null
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) return null
  return [...before, ...Array<number>(missing).fill(0), ...after]
}

function ipv4Client(octets: readonly number[]): Client {
  const address = octets.join('.')
  return { object: `ip:${address}`, place: address, network: null }
}

/** `::ffff:0:0/96`: an IPv4 address embedded in IPv6. */
export function embeddedIpv4(groups: readonly number[]): number[] | null {
  const [high = 0, low = 0] = groups.slice(6)
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  return isMapped ? [high >> 8, high & 255, low >> 8, low & 255] : null
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
