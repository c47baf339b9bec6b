// Addresses and networks in one canonical form, in which the database compares them exactly. An IPv4 address that is
// embedded in IPv6 (`::ffff:a.b.c.d`) is the IPv4 address.
import { embeddedIpv4, parseIpv4, parseIpv6 } from '../ip-address.ts'
import { sharedByWorkers } from './address.ts'

interface Parsed {
  readonly bits: readonly boolean[]
  readonly text: string
}

const bitsOf = (numbers: readonly number[], width: 8 | 16): boolean[] =>
  numbers.flatMap((number) => Array.from({ length: width }, (_, index) => ((number >> (width - 1 - index)) & 1) === 1))

const ofIpv4 = (octets: readonly number[]): Parsed => ({ bits: bitsOf(octets, 8), text: octets.join('.') })
const ofIpv6 = (groups: readonly number[]): Parsed => ({
  bits: bitsOf(groups, 16),
  text: groups.map((group) => group.toString(16)).join(':'),
})

/** The canonical text of a client's address; null where it is unknown, or where any customer of Cloudflare can have it. */
export function canonicalAddress(text: string | null): string | null {
  const octets = text === null ? null : parseIpv4(text)
  if (octets !== null) return octets.join('.')
  const groups = text === null ? null : parseIpv6(text)
  if (groups === null) return null
  const { text: address } = ofIpv6(groups)
  const isShared = address === ofIpv6(parseIpv6(sharedByWorkers) ?? []).text
  return isShared ? null : (embeddedIpv4(groups)?.join('.') ?? address)
}

function parseParts(text: string): { readonly address: Parsed; readonly size: number } | null {
  const [, host = '', digits] = /^([0-9A-Fa-f.:]{1,45})(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? []
  const octets = parseIpv4(host)
  if (octets !== null) return { address: ofIpv4(octets), size: Number(digits ?? 32) }
  const groups = parseIpv6(host)
  if (groups === null) return null
  const size = Number(digits ?? 128)
  const embedded = size >= 96 ? embeddedIpv4(groups) : null
  return embedded === null ? { address: ofIpv6(groups), size } : { address: ofIpv4(embedded), size: size - 96 }
}

/**
 * The canonical form of a CIDR block (RFC 4632, RFC 4291 §2.3), or of a single address; null for any other text. The
 * address must be the first one of the block: any other is a mistake about what the block contains.
 */
export function canonicalNetwork(text: string): string | null {
  const parts = parseParts(text)
  if (parts === null) return null
  const { address, size } = parts
  if (size > address.bits.length || address.bits.slice(size).some(Boolean)) return null
  return `${address.text}/${size}`
}
