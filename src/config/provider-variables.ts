// The format of the variables of the console's sign-in with an identity provider.
import * as z from 'zod'

/** RFC 6749 appendix A: visible characters and, for the secret, spaces. */
const visible = (most: number) => z.string().regex(new RegExp(`^[\\x21-\\x7E]{1,${most}}$`), 'must be visible ASCII')
const endpoint = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).max(2048)

/** RFC 6749 §3.3. Without `openid`, there is no ID token, and the sign-in could not be verified. */
const scopes = z
  .string()
  .transform((text) => text.split(/[,\s]+/).filter((scope) => scope !== ''))
  .refine((names) => names.every((name) => /^[\x21\x23-\x5B\x5D-\x7E]{1,256}$/.test(name)), 'must list scopes')
  .refine((names) => names.includes('openid'), 'must contain openid')

/** What the Worker sets itself, and what would move its parameters elsewhere. */
const reserved = [
  'client_id',
  'client_secret',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'redirect_uri',
  'request',
  'request_uri',
  'response_mode',
  'response_type',
  'scope',
  'state',
]

const parametersSchema = z.record(
  z
    .string()
    .regex(/^\w{1,64}$/)
    .refine((name) => !reserved.includes(name)),
  z.string().regex(/^[\x20-\x7E]{1,512}$/),
)

const parameters = z.string().transform((text, context): Readonly<Record<string, string>> => {
  try {
    return parametersSchema.parse(JSON.parse(text))
  } catch {
    const message = `must be a JSON object of parameters to text, without ${reserved.join(', ')}`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
})

export const providerVariables = {
  CONSOLE_OIDC_CLIENT_ID: visible(256).optional(),
  CONSOLE_OIDC_CLIENT_SECRET: z
    .string()
    .regex(/^[\x20-\x7E]{8,512}$/, 'must be at least 8 characters')
    .optional(),
  CONSOLE_OIDC_SCOPES: scopes.optional(),
  CONSOLE_OIDC_PARAMETERS: parameters.optional(),
  CONSOLE_OIDC_AUTHORIZATION_URL: endpoint.optional(),
  CONSOLE_OIDC_TOKEN_URL: endpoint.optional(),
  CONSOLE_OIDC_END_SESSION_URL: endpoint.optional(),
  CONSOLE_OIDC_REVOCATION_URL: endpoint.optional(),
}

export const providerUrls = [
  'CONSOLE_OIDC_AUTHORIZATION_URL',
  'CONSOLE_OIDC_TOKEN_URL',
  'CONSOLE_OIDC_END_SESSION_URL',
  'CONSOLE_OIDC_REVOCATION_URL',
] as const
