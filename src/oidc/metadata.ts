// The provider's addresses: from its discovery document (OpenID Connect Discovery §4), which is kept in the isolate, or from
// variables.
import * as z from 'zod'
import type { ProviderConfig } from '../config/config.ts'
import type { Ask } from './bounded-fetch.ts'
import { withTimeout } from '../timeout.ts'
import { SignInFailed } from './failure.ts'

const maxAgeMs = 600_000
/** How long a request waits for the read of another one, which may have ended with its client. */
const sharedMs = 1000

export interface MetadataOptions {
  readonly config: ProviderConfig
  readonly strict: boolean
  readonly ask: Ask
  readonly now: () => Date
}

const documentSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  end_session_endpoint: z.string().optional(),
  revocation_endpoint: z.string().optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
})
export type Metadata = z.output<typeof documentSchema>

/** The metadata that variables give. */
function fixed({ issuer, endpoints }: ProviderConfig): Metadata | null {
  if (endpoints === null) return null
  const { authorization, token, endSession, revocation } = endpoints
  return {
    issuer,
    authorization_endpoint: authorization,
    token_endpoint: token,
    end_session_endpoint: endSession ?? undefined,
    revocation_endpoint: revocation ?? undefined,
  }
}

const invalid = (what: string): SignInFailed => new SignInFailed('provider', `the provider's document ${what}`)

/** People and tokens are sent to these addresses. In strict environments, only https. */
function requireSafe(server: Metadata, strict: boolean): void {
  const { authorization_endpoint, token_endpoint, end_session_endpoint, revocation_endpoint } = server
  for (const address of [authorization_endpoint, token_endpoint, end_session_endpoint, revocation_endpoint]) {
    const protocol = address === undefined ? 'https:' : URL.parse(address)?.protocol
    if (protocol !== 'https:' && (strict || protocol !== 'http:')) throw invalid('has an address that is not https')
  }
}

/**
 * Reads the provider's metadata, at most once in ten minutes, and once for all requests at the same time. While the document
 * cannot be read, the last one is used.
 */
export function createMetadata({ config, strict, ask, now }: MetadataOptions): () => Promise<Metadata> {
  async function readDocument(url: string): Promise<Metadata> {
    const { status, body } = await ask(url, { headers: { accept: 'application/json' } })
    const parsed = documentSchema.safeParse(body)
    if (status !== 200 || !parsed.success) throw invalid('cannot be read')
    if (parsed.data.issuer !== config.issuer) throw invalid('has another issuer')
    requireSafe(parsed.data, strict)
    return parsed.data
  }

  let kept: { readonly server: Metadata; readonly atMs: number } | null = null
  const fresh = (): Metadata | null => (kept !== null && now().getTime() - kept.atMs < maxAgeMs ? kept.server : null)

  let reading: Promise<Metadata> | null = null
  async function begin(): Promise<Metadata> {
    const begun = readDocument(`${config.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
    reading = begun
    try {
      const server = await begun
      kept = { server, atMs: now().getTime() }
      return server
    } finally {
      if (reading === begun) reading = null
    }
  }

  /** Waits a second for the read of another request, and for one that replaces it; without a result, reads. */
  async function readOnce(lost: typeof reading = null): Promise<Metadata> {
    const current = reading
    if (current === null || current === lost) return await begin()
    const server = (await withTimeout<Metadata | null>(sharedMs, current, () => null)) ?? fresh()
    return server ?? (await readOnce(current))
  }

  return async () => {
    const known = fixed(config) ?? fresh()
    if (known !== null) return known
    try {
      return await readOnce()
    } catch (error) {
      if (kept === null) throw error
      return kept.server
    }
  }
}
