// Which IP addresses are of the public internet: none that a request from inside a network could reach, and none that
// stands for another address.
import { parseIpv4, parseIpv6 } from '../ip-address.ts'

/** An IPv4 address as its 32 bits. */
const bitsOf = (octets: readonly number[]): number => octets.reduce((bits, octet) => bits * 256 + octet, 0)

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
  const first = bitsOf(parseIpv4(address) ?? [])
  return { first, last: first + size - 1 }
})

const isPublicIpv4 = (address: number): boolean =>
  !specialIpv4.some(({ first, last }) => address >= first && address <= last)

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
  if (four !== null) return isPublicIpv4(bitsOf(four))
  const six = parseIpv6(text)
  return six !== null && isPublicIpv6(six)
}
