// Which URLs an endpoint may have. A user chooses the URL and this Worker calls it, so it must lead to the public internet
// and nowhere else. `new URL` has already written every form of an IPv4 address (decimal, octal, hexadecimal, short) in
// its dotted form.
import { isIpAddress } from './addresses.ts'

const maxUrlLength = 2048

/** Ports of HTTPS. Others belong to services that a request could disturb. */
const ports: ReadonlySet<string> = new Set(['', '8443'])

/** Names that lead into a network or nowhere (RFC 6761, 6762, 8375, 9476, and what routers use). */
const privateSuffixes: readonly string[] = [
  'localhost',
  'local',
  'localdomain',
  'internal',
  'intranet',
  'private',
  'corp',
  'home',
  'lan',
  'arpa',
  'test',
  'invalid',
  'onion',
  'alt',
]

const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

export interface DestinationRules {
  /** Allows loopback, also over http, and nothing else: a local stack calls nothing beyond its machine. */
  readonly isDevelopment: boolean
  /** The host names of this deployment. */
  readonly ownHosts: readonly string[]
}

export type Destination =
  | { readonly ok: true; readonly url: URL; readonly isLoopback: boolean }
  | { readonly ok: false; readonly problem: string }

const refused = (problem: string): Destination => ({ ok: false, problem })

/** Reads a URL. It says which rule it breaks, for the client. */
export function parseDestination(text: string, { isDevelopment, ownHosts }: DestinationRules): Destination {
  const url = text.length > maxUrlLength ? null : URL.parse(text)
  if (url === null) return refused(`Must be a URL of at most ${maxUrlLength} characters.`)
  if (url.username !== '' || url.password !== '') return refused('Must not contain a user name or password.')
  if (url.hash !== '') return refused('Must not contain a fragment.')
  if (isDevelopment) {
    const isLoopback = loopback.has(url.hostname) && ['http:', 'https:'].includes(url.protocol)
    return isLoopback
      ? { ok: true, url, isLoopback }
      : refused('Must lead to this machine: the service runs in development.')
  }
  if (url.protocol !== 'https:') return refused('Must be an https URL.')
  if (!ports.has(url.port)) return refused('Must have the port 443 or 8443.')
  const problem = hostProblem(url.hostname, ownHosts)
  return problem === null ? { ok: true, url, isLoopback: false } : refused(problem)
}

function hostProblem(hostname: string, ownHosts: readonly string[]): string | null {
  const name = hostname.replace(/\.+$/, '').toLowerCase()
  if (hostname.startsWith('[') || isIpAddress(name)) return 'Must have a host name, not an IP address.'
  const labels = name.split('.')
  const last = labels.at(-1) ?? ''
  if (labels.length < 2 || labels.includes('') || privateSuffixes.includes(last))
    return 'Must have a host name of the public internet.'
  return ownHosts.includes(name) ? 'Must not lead to this service itself.' : null
}
