// Looks a host name up with DNS over HTTPS, to refuse names that lead to private addresses. The platform resolves the
// name again for the request itself and does not say to what, so this finds a mistake and a simple attack, and not a name
// whose addresses change in between (docs/events.md).
import * as z from 'zod'
import { readText } from '../body.ts'
import { withDeadline } from '../timeout.ts'
import { isIpAddress, isPublicAddress } from './addresses.ts'

const resolver = 'https://cloudflare-dns.com/dns-query'
const timeoutMs = 3000
const maxBytes = 65_536

export type Resolution = 'public' | 'not_public' | 'unknown_host'
/** Where a host name leads. Rejects if the resolver does not respond: then it is not known. */
export type ResolveHost = (hostname: string) => Promise<Resolution>

/** https://developers.cloudflare.com/1.1.1.1/encryption/dns-over-https/make-api-requests/dns-json/ */
const answerSchema = z.object({ Status: z.int(), Answer: z.array(z.object({ data: z.string() })).optional() })

async function addressesOf(
  fetch: (request: Request) => Promise<Response>,
  hostname: string,
  type: 'A' | 'AAAA',
): Promise<readonly string[]> {
  const url = new URL(resolver)
  url.search = new URLSearchParams({ name: hostname, type }).toString()
  return await withDeadline(timeoutMs, async (signal) => {
    const headers = { accept: 'application/dns-json' }
    const response = await fetch(new Request(url, { headers, redirect: 'manual', signal }))
    const text = await readText(response.body, maxBytes)
    const { Status: status, Answer: answers = [] } = answerSchema.parse(JSON.parse(text ?? ''))
    // 3: the name does not exist. Any other status is the resolver's failure.
    if (!response.ok || (status !== 0 && status !== 3)) throw new Error(`the resolver returned ${status}`)
    // Other records are the names on the way.
    return answers.map(({ data }) => data).filter(isIpAddress)
  })
}

export function createResolver(fetch: (request: Request) => Promise<Response>): ResolveHost {
  return async (hostname) => {
    const found = await Promise.all([addressesOf(fetch, hostname, 'A'), addressesOf(fetch, hostname, 'AAAA')])
    const addresses = found.flat()
    if (addresses.length === 0) return 'unknown_host'
    return addresses.every(isPublicAddress) ? 'public' : 'not_public'
  }
}
