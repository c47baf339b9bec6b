// Starts a Link session: for a new item, or in update mode for an existing one.
import { audit } from '../audit/audit.ts'
import type { Config, PlaidProduct } from '../config/config.ts'
import type { Ctx, User } from '../context.ts'
import { getItem, getSealedToken } from '../db/items/items.ts'
import { capsReached } from '../db/link/caps.ts'
import { insertLinkSession } from '../db/link/sessions.ts'
import { enterFor } from '../db/privacy/consents.ts'
import { getPlaidUserId, setPlaidUserId } from '../db/link/users.ts'
import { AppError } from '../errors.ts'
import { openAccessToken } from '../custody/access-token.ts'
import { servingUser } from '../items/serving-user.ts'
import { notAllowed } from '../privacy/purposes.ts'
import type { HostedLink, LinkTokenRequest } from '../plaid/endpoints.ts'
import type { PlaidFailure } from '../plaid/errors.ts'
import { toAppError } from '../plaid/app-error.ts'
import { consentError } from '../sync/failure.ts'
import { productOf } from '../sync/products.ts'
import { capError } from './caps.ts'
import { sealLinkToken, tokenDigest } from '../custody/link-token.ts'

export interface LinkTokenInput {
  /** The item to repair; null for a new one. */
  readonly itemId: string | null
  readonly redirectUri: string | null
  /** Products that a new bank must have; in update mode, products that the user is asked to agree to. */
  readonly products: readonly PlaidProduct[] | null
  readonly hosted: boolean
  /** Options of a hosted session. */
  readonly hostedLink?: HostedLink | null
  /** Instead of `redirectUri`, for Link on Android. */
  readonly androidPackageName?: string | null
  readonly accountSelection: boolean
  readonly language: string | null
  readonly countryCodes: readonly string[] | null
}

export interface LinkToken {
  readonly linkToken: string
  readonly expiration: string
  readonly hostedLinkUrl: string | null
}

/** When a hosted session is first checked, in case its webhook is lost. */
const firstCheckMs = 5 * 60_000
/** The least lifetime of a link token, used if Plaid returns no expiration. */
const shortestLifeMs = 30 * 60_000

/** Plaid's default. Sent explicitly, because every session is polled while its page can be opened. */
const hostedSeconds = 1800
const plainHostedLink: HostedLink = { completionRedirectUri: null, isMobileApp: false, urlLifetimeSeconds: null }

const hostedLinkOf = (given: HostedLink): HostedLink => ({
  ...given,
  urlLifetimeSeconds: given.urlLifetimeSeconds ?? hostedSeconds,
})

type Products = Pick<
  LinkTokenRequest,
  'products' | 'requiredIfSupportedProducts' | 'optionalProducts' | 'additionalConsentedProducts'
>

/**
 * The products of a new link. If the client chooses none, Link offers banks with the first configured product, and adds
 * the others as the operator configured. Plaid refuses a product that is in two lists.
 */
function productsOf(chosen: readonly PlaidProduct[] | null, { products, link }: Config['plaid']): Products {
  if (chosen !== null)
    return { products: chosen, requiredIfSupportedProducts: [], optionalProducts: [], additionalConsentedProducts: [] }
  const { requiredIfSupported, additionalConsented } = link
  return {
    products: products.slice(0, 1),
    requiredIfSupportedProducts: requiredIfSupported,
    optionalProducts: products
      .slice(1)
      .filter((product) => !requiredIfSupported.includes(product) && !additionalConsented.includes(product)),
    additionalConsentedProducts: additionalConsented,
  }
}

/**
 * Creates a link token that only this user can use here. Plaid gets our id of the user and no other data about them.
 * @throws AppError `purpose_not_allowed`; `not_found` if the item does not belong to the user; `too_many_items`, `too_many_links`,
 *   `plaid_unavailable`, `plaid_rejected`
 */
export async function createLinkToken(given: Ctx<User>, input: LinkTokenInput): Promise<LinkToken> {
  const { api, config } = given.services
  const { id: userId, allowed } = await enterFor(api, given.actor.identity, 'linking_and_sync')
  if (!allowed) throw notAllowed('linking_and_sync')
  const ctx = servingUser(given, userId)
  const accessToken = input.itemId === null ? null : await openItemToken(ctx, input.itemId)
  await refuseOverCaps(ctx, input)
  const { result, plaidUserId } = await requestLinkToken(ctx, {
    clientUserId: userId,
    plaidUserId: await plaidUserOf(ctx, userId),
    clientName: config.plaid.link.clientName,
    language: input.language ?? 'en',
    countryCodes: input.countryCodes ?? config.plaid.countryCodes,
    webhook: config.plaid.webhookUrl,
    ...productsOf(input.products, config.plaid),
    ...(input.itemId === null
      ? {}
      : { additionalConsentedProducts: await consentFor(ctx, input.itemId, input.products) }),
    hostedLink: input.hosted ? hostedLinkOf(input.hostedLink ?? plainHostedLink) : null,
    accountSelection: input.accountSelection,
    ...(input.redirectUri === null ? {} : { redirectUri: input.redirectUri }),
    ...(input.androidPackageName ? { androidPackageName: input.androidPackageName } : {}),
    ...(accessToken === null ? {} : { accessToken }),
  })
  if (!result.ok) throw refusedOptions(result.failure, input) ?? toAppError(result.failure)
  const { link_token: linkToken, expiration, hosted_link_url: hostedLinkUrl } = result.value
  const expiresAt = expiration ?? new Date(ctx.now().getTime() + shortestLifeMs)
  await storeSession(ctx, { userId, plaidUserId, linkToken, expiresAt }, input)
  return { linkToken, expiration: expiresAt.toISOString(), hostedLinkUrl }
}

/** Options that only Plaid can validate, with their names in the request. */
const validatedByPlaid = [
  ['redirectUri', 'redirect_uri'],
  ['androidPackageName', 'android_package_name'],
  ['countryCodes', 'country_codes'],
  ['language', 'language'],
  ['hostedLink', 'hosted_link'],
] as const satisfies readonly (readonly [keyof LinkTokenInput, string])[]

/**
 * A validation error if Plaid refused a request with options of the client, such as an unregistered redirect URI or a
 * country that is not enabled. Null if only the operator can be at fault.
 */
function refusedOptions({ errorType, errorCode, requestId }: PlaidFailure, input: LinkTokenInput): AppError | null {
  const given = validatedByPlaid.filter(([member]) => (input[member] ?? null) !== null)
  if (errorType !== 'INVALID_REQUEST' || given.length === 0) return null
  return new AppError('validation_failed', 'Plaid refused an option of this request.', {
    reason: `${errorType} ${errorCode} ${requestId ?? ''}`.trim(),
    fields: given.map(([, name]) => ({ pointer: `#/${name}`, detail: 'Plaid may have refused this option.' })),
  })
}

async function refuseOverCaps(
  ctx: Ctx<User>,
  { itemId, hosted }: Pick<LinkTokenInput, 'itemId' | 'hosted'>,
): Promise<void> {
  const { api, config } = ctx.services
  const reached = await capsReached(api, ctx.actor.identity, config.linking, { isNew: itemId === null, hosted })
  if (reached !== null) throw capError(reached)
}

/** Plaid's errors that its own id of the user can cause. */
const userRefusals: ReadonlySet<string> = new Set([
  'INVALID_FIELD',
  'MISSING_FIELDS',
  'UNKNOWN_FIELDS',
  'USER_NOT_FOUND',
])

/** Retries without Plaid's id of the user if the id may be the cause of the error. Linking works without it. */
async function requestLinkToken(ctx: Ctx<User>, request: LinkTokenRequest) {
  const { plaid } = ctx.services
  const first = await plaid.createLinkToken(request)
  const { plaidUserId } = request
  if (first.ok || plaidUserId === null || !userRefusals.has(first.failure.errorCode))
    return { result: first, plaidUserId }
  ctx.log.warn('plaid_user_refused', { plaid_error_code: first.failure.errorCode })
  return { result: await plaid.createLinkToken({ ...request, plaidUserId: null }), plaidUserId: null }
}

/**
 * Plaid's id of the user, created once. With it Plaid lists the user's items, even one whose exchange got no response.
 * Linking also works without it.
 */
async function plaidUserOf(ctx: Ctx<User>, userId: string): Promise<string | null> {
  const { api, plaid } = ctx.services
  const known = await getPlaidUserId(api, ctx.actor.identity)
  if (known !== null && isOfNewUserApi(known)) return known
  const first = await plaid.createUser(userId, false)
  const older = first.ok && !isOfNewUserApi(first.value.user_id)
  const created = older ? await plaid.createUser(userId, true) : first
  if (!created.ok || !isOfNewUserApi(created.value.user_id)) {
    ctx.log.warn('plaid_user_not_created', {
      plaid_error_code: created.ok ? 'LEGACY_USER_ID' : created.failure.errorCode,
    })
    return null
  }
  return await setPlaidUserId(api, ctx.actor.identity, created.value.user_id)
}

/** Plaid's older user API returns ids without this prefix, which other endpoints do not accept. */
const isOfNewUserApi = (plaidUserId: string): boolean => plaidUserId.startsWith('usr_')

/** The products that update mode asks consent for: those that the client names, and every product without consent. */
async function consentFor(
  ctx: Ctx<User>,
  itemId: string,
  named: readonly PlaidProduct[] | null,
): Promise<PlaidProduct[]> {
  const item = await getItem(ctx.services.api, ctx.actor.identity, itemId)
  // A product that was marked again is pending, and stays so while the item waits for its user.
  const lacking = (item?.products ?? []).filter(
    ({ status, lastError }) => status === 'consent_needed' || (status === 'pending' && lastError === consentError),
  )
  const products = lacking.flatMap(({ product }) => productOf(product) ?? [])
  return [...new Set([...(named ?? []), ...products])]
}

interface Issued {
  readonly userId: string
  /** The user id that the link token was created with. */
  readonly plaidUserId: string | null
  readonly linkToken: string
  readonly expiresAt: Date
}

async function storeSession(
  ctx: Ctx<User>,
  { userId, plaidUserId, linkToken, expiresAt }: Issued,
  { hosted, itemId }: LinkTokenInput,
): Promise<void> {
  const { api, keyring, newId, config } = ctx.services
  const id = newId()
  const session = {
    id,
    userId,
    tokenDigest: await tokenDigest(linkToken),
    tokenSealed: hosted ? await sealLinkToken(keyring, linkToken, { userId, sessionId: id }) : null,
    itemId,
    plaidUserId,
    expiresAt,
    checkAt: hosted ? new Date(ctx.now().getTime() + firstCheckMs) : null,
  }
  const row = await audit(ctx, { action: 'link_token_created', target: id })
  if (await insertLinkSession(api, ctx.actor.identity, session, config.linking, row)) return
  // Other requests were faster.
  await refuseOverCaps(ctx, { itemId, hosted })
  throw new AppError('conflict', 'Another link was started at the same time. Try again.', { retryAfterSeconds: 1 })
}

async function openItemToken(ctx: Ctx<User>, itemId: string) {
  const stored = await getSealedToken(ctx.services.api, ctx.actor.identity, itemId)
  if (stored === null || stored.removed) throw new AppError('not_found', 'There is no such item.')
  return await openAccessToken(ctx.services.keyring, stored.sealed, stored)
}
