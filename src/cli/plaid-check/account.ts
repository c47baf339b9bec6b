// Checks of the account at Plaid: credentials, products, link tokens, and what the dashboard must list.
import * as z from 'zod'
import { type Check, fail, pass, type Verdict, warn } from '../lib/checks.ts'
import type { PlaidAnswer } from '../lib/plaid-call.ts'
import { codeOfAnswer, type PlaidPorts, problemOf } from './ports.ts'

const keysPage = 'https://dashboard.plaid.com/developers/keys'
const apiPage = 'https://dashboard.plaid.com/developers/api'
const firstInstitution = { count: 1, offset: 0 }

/** Plaid is down, or limits calls: that says nothing about the account. */
function unknown(answer: PlaidAnswer): Verdict | null {
  if (answer.ok || (answer.status < 500 && answer.status !== 429)) return null
  return warn(`unknown: ${problemOf(answer)}`, 'Look at https://status.plaid.com, and run it again.')
}

const credentials: Check<PlaidPorts> = {
  name: 'credentials',
  async check({ settings, call, callOther }) {
    const body = { ...firstInstitution, country_codes: settings.countryCodes }
    const answer = await call('/institutions/get', body)
    if (answer.ok) return pass(`Plaid accepts them in ${settings.environment}`)
    const doubt = unknown(answer)
    if (doubt !== null) return doubt
    if (codeOfAnswer(answer) !== 'INVALID_API_KEYS' || callOther === null)
      return fail(problemOf(answer) ?? '', `Compare PLAID_CLIENT_ID and PLAID_SECRET with ${keysPage}.`)
    const other = settings.environment === 'sandbox' ? 'production' : 'sandbox'
    const elsewhere = await callOther('/institutions/get', body)
    return elsewhere.ok
      ? fail(
          `PLAID_SECRET is that of ${other}, and PLAID_ENV is ${settings.environment}`,
          `Take the secret of ${settings.environment} from ${keysPage}, or change PLAID_ENV.`,
        )
      : fail(problemOf(answer) ?? '', `Compare PLAID_CLIENT_ID and PLAID_SECRET with ${keysPage}.`)
  },
}

/** A link token of a user who does not exist. It costs nothing and expires by itself. */
function linkToken({ settings, call }: PlaidPorts, changed: object): Promise<PlaidAnswer> {
  return call('/link/token/create', {
    client_name: settings.clientName,
    language: 'en',
    country_codes: settings.countryCodes,
    user: { client_user_id: 'plaid-check' },
    products: settings.products.slice(0, 1),
    webhook: settings.webhookUrl,
    ...changed,
  })
}

const tokenSchema = z.object({ link_token: z.string().startsWith('link-') })

const products: Check<PlaidPorts> = {
  name: 'products',
  async check(ports) {
    const refused: string[] = []
    for (const product of ports.settings.products) {
      const answer = await linkToken(ports, { products: [product] })
      const doubt = unknown(answer)
      if (doubt !== null) return doubt
      if (!answer.ok) refused.push(`${product} (${problemOf(answer)})`)
    }
    if (refused.length > 0)
      return fail(
        `refused: ${refused.join('; ')}`,
        'Request the product in the dashboard of Plaid, or take it out of PLAID_PRODUCTS.',
      )
    return pass(ports.settings.products.join(', '))
  },
}

const institutionsSchema = z.object({ total: z.number() })

const institutions: Check<PlaidPorts> = {
  name: 'institutions',
  async check({ settings, call }) {
    const body = {
      ...firstInstitution,
      country_codes: settings.countryCodes,
      options: { products: settings.products.slice(0, 1) },
    }
    const answer = await call('/institutions/get', body)
    const doubt = unknown(answer)
    if (doubt !== null) return doubt
    if (!answer.ok) return fail(problemOf(answer) ?? '', 'Compare PLAID_COUNTRY_CODES and PLAID_PRODUCTS.')
    const { total } = institutionsSchema.parse(answer.body)
    if (total === 0)
      return fail(
        `no institution of ${settings.countryCodes.join(', ')} has ${settings.products[0]}`,
        'Compare PLAID_COUNTRY_CODES with the countries that Plaid enabled for you.',
      )
    return pass(`${total} have ${settings.products[0]} in ${settings.countryCodes.join(', ')}`)
  },
}

const completeToken: Check<PlaidPorts> = {
  name: 'link token',
  async check(ports) {
    const {
      products: [first = 'transactions', ...others],
      requiredIfSupported,
      additionalConsented,
    } = ports.settings
    const optional = others.filter((name) => !requiredIfSupported.includes(name) && !additionalConsented.includes(name))
    const lists = {
      products: [first],
      ...(optional.length === 0 ? {} : { optional_products: optional }),
      ...(requiredIfSupported.length === 0 ? {} : { required_if_supported_products: requiredIfSupported }),
      ...(additionalConsented.length === 0 ? {} : { additional_consented_products: additionalConsented }),
    }
    const answer = await linkToken(ports, lists)
    const doubt = unknown(answer)
    if (doubt !== null) return doubt
    if (!answer.ok) return fail(problemOf(answer) ?? '', 'Compare the PLAID_ variables with docs/configuration.md.')
    tokenSchema.parse(answer.body)
    return pass('Plaid creates one with every product of the configuration')
  },
}

/** Tries each entry in a link token, which Plaid refuses unless the dashboard lists it. */
function listed(
  name: string,
  entriesOf: (ports: PlaidPorts) => readonly string[],
  fieldsOf: (entry: string) => object,
  { none, remedy }: { readonly none: Verdict; readonly remedy: string },
): Check<PlaidPorts> {
  return {
    name,
    async check(ports) {
      const entries = entriesOf(ports)
      if (entries.length === 0) return none
      const refused: string[] = []
      for (const entry of entries) {
        const answer = await linkToken(ports, fieldsOf(entry))
        const doubt = unknown(answer)
        if (doubt !== null) return doubt
        if (!answer.ok) refused.push(`${entry} (${problemOf(answer)})`)
      }
      return refused.length > 0 ? fail(`refused: ${refused.join('; ')}`, remedy) : pass(entries.join(', '))
    },
  }
}

const redirectUris = listed(
  'redirect URIs',
  ({ settings }) => settings.redirectUris,
  (uri) => ({ redirect_uri: uri }),
  {
    none: warn(
      'not tried: none is given, and banks with OAuth need one',
      'Give each page to which banks return users: --redirect-uri https://…',
    ),
    remedy: `Add it, without query and fragment, to *Allowed redirect URIs*: ${apiPage}.`,
  },
)

const completionUris = listed(
  'completion redirect URIs',
  ({ settings }) => settings.completionRedirectUris,
  (uri) => ({ hosted_link: { completion_redirect_uri: uri } }),
  {
    none: pass('none is configured: PLAID_COMPLETION_REDIRECT_URIS'),
    remedy: `Add it to *Allowed redirect URIs*: ${apiPage}.`,
  },
)

const androidPackages = listed(
  'Android packages',
  ({ settings }) => settings.androidPackages,
  (name) => ({ android_package_name: name }),
  {
    none: pass('none is configured: PLAID_ANDROID_PACKAGES'),
    remedy: `Add it to *Allowed Android package names*: ${apiPage}.`,
  },
)

export const accountChecks: readonly Check<PlaidPorts>[] = [
  credentials,
  products,
  institutions,
  completeToken,
  redirectUris,
  completionUris,
  androidPackages,
]
