// One call of Plaid's API by a command, with the credentials of a deployment. Shares no code with the Worker's client, whose
// limits and retries would hide what a check wants to see.
import * as z from 'zod'
import { ask, jsonOf } from './ask.ts'

export interface PlaidAccess {
  readonly baseUrl: string
  readonly clientId: string
  readonly secret: string
}

export interface PlaidError {
  readonly error_type: string
  readonly error_code: string
  readonly error_message: string
}

export type PlaidAnswer =
  | { readonly ok: true; readonly body: Record<string, unknown> }
  | { readonly ok: false; readonly status: number; readonly error: PlaidError | null }

const hosts = { sandbox: 'https://sandbox.plaid.com', production: 'https://production.plaid.com' } as const
const version = '2020-09-14'
const timeoutMs = 30_000

const bodySchema = z.record(z.string(), z.unknown())
const errorSchema = z.object({ error_type: z.string(), error_code: z.string(), error_message: z.string() })
const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Plaid's URL for an environment. `override` replaces it on this machine only: a production secret must reach no other
 * host.
 * @throws Error for an override that is not on this machine
 */
export function plaidBaseUrl(environment: 'sandbox' | 'production', override: string | undefined): string {
  if (!override) return hosts[environment]
  const url = URL.parse(override)
  if (url !== null && loopback.has(url.hostname)) return url.origin
  if (override === hosts[environment]) return override
  throw new Error('PLAID_BASE_URL may name this machine only: the secret is sent there.')
}

/** @throws Error if Plaid cannot be reached */
export async function callPlaid(access: PlaidAccess, path: string, body: object): Promise<PlaidAnswer> {
  const { baseUrl, clientId, secret } = access
  const answer = await ask(`${baseUrl}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'plaid-client-id': clientId,
      'plaid-secret': secret,
      'plaid-version': version,
    },
    body: JSON.stringify(body),
    timeoutMs,
  })
  const parsed = jsonOf(answer)
  if (answer.status === 200) return { ok: true, body: bodySchema.parse(parsed) }
  return { ok: false, status: answer.status, error: errorSchema.safeParse(parsed).data ?? null }
}

/** `400 INVALID_API_KEYS: …` */
export function describePlaidError({ status, error }: Extract<PlaidAnswer, { ok: false }>): string {
  return error === null ? `${status} without an error of Plaid` : `${error.error_code}: ${error.error_message}`
}
