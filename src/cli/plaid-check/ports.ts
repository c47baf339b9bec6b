// What `plaid:check` asks of Plaid and of the deployment's webhook URL.
import { type Answered, ask, type Asked } from '../lib/ask.ts'
import { callPlaid, describePlaidError, type PlaidAnswer, plaidBaseUrl } from '../lib/plaid-call.ts'

export type PlaidEnvironment = 'sandbox' | 'production'

export interface PlaidSettings {
  readonly environment: PlaidEnvironment
  readonly clientId: string
  readonly secret: string
  readonly products: readonly string[]
  readonly requiredIfSupported: readonly string[]
  readonly additionalConsented: readonly string[]
  readonly countryCodes: readonly string[]
  readonly clientName: string
  readonly webhookUrl: string
  readonly androidPackages: readonly string[]
  readonly completionRedirectUris: readonly string[]
  /** The pages to which banks with OAuth return users: clients name them, so no variable does. */
  readonly redirectUris: readonly string[]
  /** Another address of Plaid, on this machine only. */
  readonly baseUrl: string | undefined
}

export interface PlaidPorts {
  readonly settings: PlaidSettings
  readonly call: (path: string, body: object) => Promise<PlaidAnswer>
  /** The same in Plaid's other environment; null where there is none. */
  readonly callOther: ((path: string, body: object) => Promise<PlaidAnswer>) | null
  readonly ask: (url: string, asked: Asked) => Promise<Answered>
}

export function plaidPorts(settings: PlaidSettings): PlaidPorts {
  const { environment, clientId, secret, baseUrl } = settings
  const access = { baseUrl: plaidBaseUrl(environment, baseUrl), clientId, secret }
  const other = environment === 'sandbox' ? 'production' : 'sandbox'
  return {
    settings,
    call: (path, body) => callPlaid(access, path, body),
    callOther: baseUrl
      ? null
      : (path, body) => callPlaid({ ...access, baseUrl: plaidBaseUrl(other, undefined) }, path, body),
    ask,
  }
}

const listOf = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

/**
 * The settings in a Worker's variables.
 * @throws Error that names a variable that is missing
 */
export function settingsOf(
  values: Readonly<Record<string, string | undefined>>,
  redirectUris: readonly string[],
): PlaidSettings {
  const required = (name: string): string => {
    const value = values[name]
    if (value) return value
    throw new Error(`${name} is not set: give it in the secrets file, in .dev.vars or in the shell.`)
  }
  return {
    environment: required('PLAID_ENV') === 'production' ? 'production' : 'sandbox',
    clientId: required('PLAID_CLIENT_ID'),
    secret: required('PLAID_SECRET'),
    products: listOf(values['PLAID_PRODUCTS'] || 'transactions'),
    requiredIfSupported: listOf(values['PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS']),
    additionalConsented: listOf(values['PLAID_ADDITIONAL_CONSENTED_PRODUCTS']),
    countryCodes: listOf(values['PLAID_COUNTRY_CODES'] || 'US'),
    clientName: values['PLAID_CLIENT_NAME'] || 'WealthNavigator',
    webhookUrl: required('PLAID_WEBHOOK_URL'),
    androidPackages: [...listOf(values['PLAID_ANDROID_PACKAGES']), ...listOf(values['ANDROID_PACKAGE_NAMES'])],
    completionRedirectUris: listOf(values['PLAID_COMPLETION_REDIRECT_URIS']),
    redirectUris,
    baseUrl: values['PLAID_BASE_URL'] || undefined,
  }
}

/** The error of a call, or null. */
export const problemOf = (answer: PlaidAnswer): string | null => (answer.ok ? null : describePlaidError(answer))

export const codeOfAnswer = (answer: PlaidAnswer): string | null =>
  answer.ok ? null : (answer.error?.error_code ?? null)
