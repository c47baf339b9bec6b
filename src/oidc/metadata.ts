// The provider's addresses: from its discovery document (OpenID Connect Discovery §4), which is kept in the isolate, or from
// variables.
import * as z from 'zod'
import type { ProviderConfig } from '../config/config.ts'
import type { Ask } from './bounded-fetch.ts'
import { withTimeout } from '../timeout.ts'
import { SignInFailed } from './failure.ts'

const maxAgeMs = 600_000
/** Longer than a read may take (bounded-fetch.ts). After it, a read counts as lost with the request that began it. */
const readMs = 9000

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

  let reading: { readonly server: Promise<Metadata>; readonly atMs: number } | null = null
  async function readOnce(url: string, nowMs: number): Promise<Metadata> {
    if (reading === null || nowMs - reading.atMs > readMs) {
      const begun = { server: readDocument(url), atMs: nowMs }
      const end = () => {
        if (reading === begun) reading = null
      }
      reading = begun
      void begun.server.then(end, end)
    }
    // It may belong to another request, which the platform can cancel.
    return await withTimeout(readMs, reading.server, () => {
      throw new SignInFailed('provider', 'the provider is slow')
    })
  }

  let kept: { readonly server: Metadata; readonly atMs: number } | null = null
  return async () => {
    const given = fixed(config)
    if (given !== null) return given
    const nowMs = now().getTime()
    if (kept !== null && nowMs - kept.atMs < maxAgeMs) return kept.server
    const url = `${config.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    try {
      const server = await readOnce(url, nowMs)
      kept = { server, atMs: nowMs }
      return server
    } catch (error) {
      if (kept === null) throw error
      return kept.server
    }
  }
}
