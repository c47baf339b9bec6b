// Which IP addresses are of the public internet: none that a request from inside a network could reach, and none that
// stands for another address.

const ipv4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/

/** The 32 bits of a dotted IPv4 address; null for any other text. */
function parseIpv4(text: string): number | null {
  const match = ipv4.exec(text)
  const parts = match?.slice(1).map(Number) ?? []
  if (match === null || parts.some((part) => part > 255)) return null
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}

/**
 * Special-purpose IPv4 blocks (RFC 6890 and its registry), multicast and reserved: this network, private, CGNAT,
 * loopback, link-local with the metadata services, IETF, documentation, 6to4 relays, benchmarks, multicast, reserved.
 */
const specialIpv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
].map((block) => {
  const [address = '', bits = ''] = block.split('/')
  const size = 2 ** (32 - Number(bits))
  const first = parseIpv4(address) ?? 0
  return { first, last: first + size - 1 }
})

const isPublicIpv4 = (address: number): boolean =>
  !specialIpv4.some(({ first, last }) => address >= first && address <= last)

/** The eight groups of an IPv6 address; null for any other text. */
function parseIpv6(text: string): number[] | null {
  const embedded = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const tail = embedded === null ? null : parseIpv4(embedded[2] ?? '')
  if (embedded !== null && tail === null) return null
  const hex = tail === null ? text : `${embedded?.[1]}${(tail >>> 16).toString(16)}:${(tail & 0xffff).toString(16)}`
  const halves = hex.split('::')
  if (halves.length > 2) return null
  const [before = [], after = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - before.length - after.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null
  const groups = [...before, ...Array.from({ length: missing }, () => '0'), ...after]
  if (groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return null
  return groups.map((group) => Number.parseInt(group, 16))
}

/**
 * Of IPv6, only global unicast (2000::/3) is public, without the blocks in it that are special or translate to IPv4:
 * Teredo and other IETF protocols, documentation, 6to4, and the segment routing block. NAT64, IPv4-mapped, unique local,
 * link-local and multicast addresses lie outside.
 */
function isPublicIpv6([first = 0, second = 0]: readonly number[]): boolean {
  if (first < 0x2000 || first > 0x3fff) return false
  if (first === 0x2001 && (second < 0x0200 || second === 0x0db8)) return false
  if (first === 0x2002 || (first === 0x3fff && second < 0x1000)) return false
  return !(first === 0x2620 && second === 0x004f)
}

/** Whether the text is an IP address, without brackets. */
export const isIpAddress = (text: string): boolean => parseIpv4(text) !== null || parseIpv6(text) !== null

/** Whether the text is an IP address of the public internet. */
export function isPublicAddress(text: string): boolean {
  const four = parseIpv4(text)
  if (four !== null) return isPublicIpv4(four)
  const six = parseIpv6(text)
  return six !== null && isPublicIpv6(six)
}
