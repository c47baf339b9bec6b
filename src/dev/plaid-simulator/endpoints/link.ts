// /link/token/*: creates link tokens and returns what their sessions did.
import * as z from 'zod'
import { productNames } from '../bank/institutions.ts'
import { requestedUser, userFor } from '../items/users.ts'
import { whole } from '../lib/exact-json.ts'
import { failure } from '../lib/failure.ts'
import { type Item, openAccounts } from '../state/item.ts'
import { type LinkSession, type LinkToken, statusOf } from '../state/link-token.ts'
import type { World } from '../state/world.ts'
import { accessToken, endpoint, itemOf } from './endpoint.ts'

const hourMs = 3_600_000
const anything = z.unknown().optional()

/** Products that a link token may request. Balance comes with every item, so Plaid refuses it here. */
const linkProducts = z.array(z.enum(productNames.filter((product) => product !== 'balance'))).optional()

/** Where the browser may go at the end: a page, or an application by its own scheme. */
const redirectTarget = z.url().refine((uri) => !scriptSchemes.has(URL.parse(uri)?.protocol.slice(0, -1) ?? 'data'), {
  error: 'must not be a URL that a browser runs',
})
const scriptSchemes = new Set(['javascript', 'data', 'blob', 'vbscript'])

const fields = {
  client_name: z.string().min(1),
  language: z.string().min(1),
  country_codes: z.array(z.string().length(2)).min(1),
  user: z.looseObject({ client_user_id: z.string().min(1) }).optional(),
  user_id: z.string().optional(),
  user_token: z.string().nullish(),
  products: linkProducts,
  required_if_supported_products: linkProducts,
  optional_products: linkProducts,
  additional_consented_products: linkProducts,
  webhook: z.url().optional(),
  access_token: accessToken.nullish(),
  link_customization_name: z.string().optional(),
  redirect_uri: z.string().nullish(),
  transactions: z.strictObject({ days_requested: whole(1, 730).optional() }).optional(),
  update: z
    .strictObject({
      account_selection_enabled: z.boolean().optional(),
      reauthorization_enabled: z.boolean().optional(),
      user: z.boolean().optional(),
      item_ids: z.array(z.string()).nullish(),
    })
    .optional(),
  hosted_link: z
    .looseObject({
      url_lifetime_seconds: whole(1, 1_814_400).optional(),
      completion_redirect_uri: redirectTarget.nullish(),
    })
    .optional(),
  enable_multi_item_link: z.boolean().optional(),
  institution_id: z.string().optional(),
  ...Object.fromEntries(
    [
      'access_tokens',
      'account_filters',
      'android_package_name',
      'appearance_mode',
      'auth',
      'base_report',
      'card_switch',
      'cashflow_report',
      'consumer_report_permissible_purpose',
      'cra_enabled',
      'cra_options',
      'credit_partner_insights',
      'employment',
      'eu_config',
      'financekit_supported',
      'identity',
      'identity_verification',
      'income_verification',
      'institution_data',
      'investments',
      'investments_auth',
      'payment_configuration',
      'payment_initiation',
      'statements',
      'third_party_user_token',
      'transfer',
    ].map((name) => [name, anything]),
  ),
}

const create = endpoint('/link/token/create', fields, (world, body) => {
  const { userId, named } = userOf(world, body)
  refuseClashes(body)
  const updated = typeof body.access_token === 'string' ? itemOf(world, body.access_token) : null
  const products = body.products ?? []
  const ifSupported = [...(body.required_if_supported_products ?? []), ...(body.optional_products ?? [])]
  const wanted = [...products, ...ifSupported, ...(body.additional_consented_products ?? [])]
  if (updated === null && wanted.length === 0) throw failure('MISSING_FIELDS', 'missing fields: products')
  const createdMs = world.clock.nowMs()
  const lifeMs = lifeOf(body.hosted_link, updated !== null)
  const token: LinkToken = {
    token: `link-sandbox-${world.ids.uuid('link')}`,
    createdAt: world.clock.timestamp(),
    expiresAtMs: createdMs + lifeMs,
    clientName: body.client_name,
    language: body.language,
    countryCodes: body.country_codes,
    products: [...new Set(products)],
    productsIfSupported: [...new Set(ifSupported)],
    webhook: body.webhook ?? null,
    redirectUri: body.redirect_uri ?? null,
    userId,
    namesUserId: named,
    daysRequested: body.transactions?.days_requested ?? null,
    updateItemId: updated?.itemId ?? null,
    consents: body.additional_consented_products ?? [],
    accountSelection: body.update?.account_selection_enabled ?? false,
    reportsByWebhook: body.hosted_link !== undefined || body.enable_multi_item_link === true,
    multiItem: body.enable_multi_item_link ?? false,
    hosted: body.hosted_link === undefined ? null : { completionUri: body.hosted_link.completion_redirect_uri ?? null },
    sessions: [],
  }
  world.linkTokens.set(token.token, token)
  const hosted = body.hosted_link === undefined ? {} : { hosted_link_url: `${world.site.url}/hl/${token.token}` }
  return { link_token: token.token, expiration: iso(token.expiresAtMs), user_id: token.userId, ...hosted }
})

interface UserFields {
  readonly user?: { readonly client_user_id: string } | undefined
  readonly user_id?: string | undefined
  readonly user_token?: string | null | undefined
}

/**
 * The user of the link token, and whether the request names an existing one. `user` and `user_id` exclude each other.
 */
function userOf(world: World, { user, user_id, user_token }: UserFields): { userId: string; named: boolean } {
  if (user !== undefined && user_id !== undefined) {
    throw failure('INVALID_FIELD', 'user_id: give one of user_id and user')
  }
  if (user_id != null || user_token != null) {
    return { userId: requestedUser(world, { user_id, user_token }).userId, named: true }
  }
  if (user === undefined) throw failure('MISSING_FIELDS', 'missing fields: user')
  return { userId: userFor(world, user.client_user_id).userId, named: false }
}

/** A hosted Link page and its token expire after 30 minutes, unless the request sets a lifetime. */
function lifeOf(hosted: { url_lifetime_seconds?: number | undefined } | undefined, isUpdate: boolean): number {
  if (hosted !== undefined) return (hosted.url_lifetime_seconds ?? 1800) * 1000
  return isUpdate ? hourMs / 2 : 4 * hourMs
}

interface Clashing {
  redirect_uri?: string | null | undefined
  android_package_name?: unknown
  products?: string[] | undefined
  required_if_supported_products?: string[] | undefined
  optional_products?: string[] | undefined
  additional_consented_products?: string[] | undefined
}

/** Refuses combinations of fields that Plaid's description does not allow, and a redirect URI with a query. */
function refuseClashes(body: Clashing): void {
  const { redirect_uri: uri, android_package_name: packageName } = body
  if (uri && packageName) throw failure('INVALID_FIELD', 'redirect_uri must be blank where android_package_name is set')
  if (uri && /[?#]/.test(uri)) throw failure('INVALID_FIELD', 'redirect_uri must not contain query parameters')
  const { products = [], required_if_supported_products: ifSupported = [] } = body
  const { optional_products: optional = [], additional_consented_products: consented = [] } = body
  const clashes = (one: string[], others: string[]): boolean => one.some((name) => others.includes(name))
  if (clashes(ifSupported, [...products, ...optional, ...consented]) || clashes(products, [...optional, ...consented]))
    throw failure('INVALID_FIELD', 'a product is in two lists')
}

const get = endpoint('/link/token/get', { link_token: z.string() }, (world, body) => {
  const token = world.linkTokens.get(body.link_token)
  if (token === undefined) throw failure('INVALID_LINK_TOKEN')
  return {
    link_token: token.token,
    user_id: token.userId,
    created_at: token.createdAt,
    expiration: iso(token.expiresAtMs),
    link_sessions: token.sessions
      .filter((session) => isReturned(world, session))
      .map((session) => sessionView(world, session)),
    metadata: {
      initial_products: token.products,
      webhook: token.webhook,
      country_codes: token.countryCodes,
      language: token.language,
      redirect_uri: token.redirectUri,
      client_name: token.clientName,
    },
  }
})

/** Whether /link/token/get still returns the session. */
function isReturned({ clock, settings }: World, { finished }: LinkSession): boolean {
  return finished === null || clock.nowMs() - finished.ms <= settings.linkSessionLifeMs
}

function sessionView(world: World, session: LinkSession) {
  const leftEmpty = session.finished !== null && statusOf(session) === 'EXITED'
  return {
    link_session_id: session.id,
    started_at: session.startedAt,
    finished_at: session.finished?.at ?? null,
    events: session.events,
    ...(leftEmpty && { exit: exitView(session) }),
    results: leftEmpty ? null : resultsView(world, session),
  }
}

function exitView({ id, exit }: LinkSession) {
  const { institution, status, error } = exit ?? { institution: null, status: 'requires_credentials', error: null }
  return { error, metadata: { institution, status, link_session_id: id, request_id: '' } }
}

function resultsView(world: World, session: LinkSession) {
  return {
    item_add_results: session.added.flatMap(({ publicToken, itemId }) => {
      const item = world.items.get(itemId)
      return item === undefined ? [] : [addedView(publicToken, item)]
    }),
    cra_item_add_results: [],
    cra_update_results: [],
    bank_income_results: [],
    payroll_income_results: [],
    document_income_results: null,
  }
}

/** An item that a session added, in the shape of Link's results. */
export function addedView(publicToken: string, item: Item) {
  return {
    public_token: publicToken,
    accounts: openAccounts(item).map(({ account_id, name, mask, type, subtype }) => ({
      id: account_id,
      name,
      mask,
      type,
      subtype,
      verification_status: null,
      class_type: null,
    })),
    institution: { name: item.institution.name, institution_id: item.institution.id },
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

export const linkEndpoints = [create, get]
