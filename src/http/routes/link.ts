// Link tokens, and the exchange of public tokens.
import * as z from 'zod'
import { type Config, type PlaidProduct, plaidProducts } from '../../config/config.ts'
import { isRedirectUri } from '../../config/redirect-uri.ts'
import { AppError } from '../../errors.ts'
import { createLinkToken } from '../../link/create-link-token.ts'
import { exchangePublicToken } from '../../link/exchange-public-token.ts'
import type { HostedLink } from '../../plaid/endpoints.ts'
import { id, line } from '../schemas.ts'
import { idempotencyHeaders } from '../idempotency-key.ts'
import { route } from '../route.ts'
import { itemSchema, itemView } from './items/items.ts'

/** Plaid's limit: 21 days. */
const longestHostedSeconds = 21 * 24 * 3600

const createBody = z
  .strictObject({
    item_id: id.optional().describe('Opens Link in update mode for this item.'),
    redirect_uri: z
      .string()
      .max(2048)
      .optional()
      .describe('An https URL that is registered at Plaid, without a query. Not for Android.'),
    android_package_name: z
      .string()
      .max(255)
      .optional()
      .describe('For Link on Android, instead of `redirect_uri`: a package that the deployment lists.'),
    products: z
      .array(z.enum(plaidProducts))
      .min(1)
      .max(plaidProducts.length)
      .optional()
      .describe(
        'Products that the institution must support. In update mode: products to request consent for, in addition to those that lack it.',
      ),
    hosted: z.boolean().optional().describe('Creates a Hosted Link session: Link runs on a page of Plaid.'),
    hosted_link: z
      .strictObject({
        completion_redirect_uri: z
          .string()
          .max(2048)
          .optional()
          .describe('Where Plaid redirects the user at the end: a URL that the deployment lists.'),
        is_mobile_app: z
          .boolean()
          .optional()
          .describe('Whether a mobile app opens the page in a secure browser window.'),
        url_lifetime_seconds: z
          .int()
          .min(1)
          .max(longestHostedSeconds)
          .optional()
          .describe('How long the page can be opened, in seconds. The default is 1800.'),
      })
      .optional()
      .describe('Options of a Hosted Link session. Needs `hosted`.'),
    account_selection: z.boolean().optional().describe('In update mode: lets the user select accounts again.'),
    language: z
      .string()
      .regex(/^[a-z]{2}$/, { error: 'Must be a language code of two letters (ISO 639-1).' })
      .optional(),
    country_codes: z
      .array(z.string().regex(/^[A-Z]{2}$/, { error: 'Must be a country code of two letters (ISO 3166-1).' }))
      .min(1)
      .max(20)
      .optional(),
  })
  .meta({ id: 'LinkTokenRequest' })

const linkTokenSchema = z
  .object({ link_token: z.string(), expiration: z.string(), hosted_link_url: z.string().optional() })
  .meta({ id: 'LinkToken' })

function refuse(pointer: string, detail: string): AppError {
  return new AppError('validation_failed', 'The request body is not valid.', { fields: [{ pointer, detail }] })
}

type CreateBody = z.output<typeof createBody>

function checkDestinations(body: CreateBody, config: Config): void {
  const { redirect_uri: redirectUri, android_package_name: packageName, hosted_link: hostedLink } = body
  const { androidPackages, completionRedirectUris } = config.plaid.link
  if (redirectUri !== undefined && !isRedirectUri(redirectUri, config))
    throw refuse(
      '#/redirect_uri',
      'Must be an https URL with a domain name, in lower case, without a query or a fragment.',
    )
  if (packageName !== undefined && redirectUri !== undefined)
    throw refuse('#/android_package_name', 'Must not be combined with redirect_uri.')
  if (packageName !== undefined && !androidPackages.includes(packageName))
    throw refuse('#/android_package_name', 'The deployment does not list this package.')
  if (hostedLink !== undefined && body.hosted !== true) throw refuse('#/hosted_link', 'Needs hosted: true.')
  const completionUri = hostedLink?.completion_redirect_uri
  if (completionUri !== undefined && !completionRedirectUris.includes(completionUri))
    throw refuse('#/hosted_link/completion_redirect_uri', 'The deployment does not list this URL.')
}

const hostedLinkOf = (body: NonNullable<CreateBody['hosted_link']>): HostedLink => ({
  completionRedirectUri: body.completion_redirect_uri ?? null,
  isMobileApp: body.is_mobile_app ?? false,
  urlLifetimeSeconds: body.url_lifetime_seconds ?? null,
})

function checkProducts(products: readonly PlaidProduct[], config: Config): void {
  const absent = products.findIndex((product) => !config.plaid.products.includes(product))
  if (absent !== -1) throw refuse(`#/products/${absent}`, 'The deployment does not offer this product.')
}

function checkCountries(countryCodes: readonly string[], config: Config): void {
  const absent = countryCodes.findIndex((country) => !config.plaid.countryCodes.includes(country))
  if (absent !== -1) throw refuse(`#/country_codes/${absent}`, 'The deployment does not offer this country.')
}

export const createLinkTokenRoute = route({
  id: 'createLinkToken',
  keys: 'link',
  audit: ['link_token_created'],
  method: 'POST',
  path: '/api/v1/plaid/link/token/create',
  summary: 'Create a link token',
  tags: ['link'],
  access: 'user',
  session: 'live',
  limit: 'link',
  body: createBody,
  answers: { 200: linkTokenSchema },
  errors: [
    'not_found',
    'purpose_not_allowed',
    'too_many_items',
    'too_many_links',
    'conflict',
    'plaid_rejected',
    'plaid_unavailable',
    'token_undecryptable',
  ],
}).handle(async (ctx, { body }) => {
  const { config } = ctx.services
  checkDestinations(body, config)
  if (body.products !== undefined) checkProducts(body.products, config)
  if (body.country_codes !== undefined) checkCountries(body.country_codes, config)
  const { linkToken, expiration, hostedLinkUrl } = await createLinkToken(ctx, {
    itemId: body.item_id ?? null,
    redirectUri: body.redirect_uri ?? null,
    products: body.products ?? null,
    androidPackageName: body.android_package_name ?? null,
    hosted: body.hosted ?? false,
    hostedLink: body.hosted_link === undefined ? null : hostedLinkOf(body.hosted_link),
    accountSelection: body.account_selection ?? false,
    language: body.language ?? null,
    countryCodes: body.country_codes ?? null,
  })
  const hosted = hostedLinkUrl === null ? {} : { hosted_link_url: hostedLinkUrl }
  return { status: 200, body: { link_token: linkToken, expiration, ...hosted } }
})

const plaidToken = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9-]+$/, { error: 'Must be a token that Link returned, unchanged.' })

/** A hint: absent, null, empty and invalid values are equivalent. */
const hint = (most: number) =>
  line(most)
    .nullish()
    .catch(null)
    .transform((text) => text ?? null)

/** Metadata from Link's SDKs. Invalid metadata never fails the exchange; unused keys are dropped. */
const institutionHint = z.object({ institution_id: hint(100), name: hint(200) })
const accountHint = z.object({ name: hint(200), mask: hint(10), subtype: hint(100) })

const exchangeBody = z
  .strictObject({
    public_token: plaidToken,
    link_token: plaidToken.optional().describe('The link token of the session. Required in staging and production.'),
    institution: institutionHint.nullish().catch(null).describe('The institution from the metadata of Link.'),
    accounts: z.array(accountHint).nullish().catch(null).describe('The accounts from the metadata of Link.'),
    allow_duplicate: z
      .boolean()
      .optional()
      .describe('Links an institution that is linked already. The deployment must allow it (`ALLOW_DUPLICATE_ITEMS`).'),
  })
  .meta({ id: 'ExchangeRequest' })

export const exchangePublicTokenRoute = route({
  id: 'exchangePublicToken',
  keys: 'link',
  audit: ['access_token_obtained'],
  method: 'POST',
  path: '/api/v1/plaid/item/public_token/exchange',
  summary: 'Exchange a public token',
  tags: ['link'],
  access: 'user',
  session: 'live',
  limit: 'link',
  idempotency: 'stored',
  headers: idempotencyHeaders,
  body: exchangeBody,
  answers: { 201: itemSchema },
  errors: [
    'purpose_not_allowed',
    'public_token_refused',
    'link_token_refused',
    'duplicate_item',
    'too_many_items',
    'too_many_links',
    'idempotency_key_in_use',
    'idempotency_key_reused',
    'conflict',
    'item_needs_attention',
    'plaid_rejected',
    'plaid_unavailable',
    'token_undecryptable',
  ],
}).handle(async (ctx, { body }) => {
  if (ctx.services.config.strict && body.link_token === undefined) throw refuse('#/link_token', 'Is required.')
  if (body.allow_duplicate === true && !ctx.services.config.linking.allowsDuplicates)
    throw refuse('#/allow_duplicate', 'The deployment does not allow duplicate items.')
  const { institution_id: institutionId, name } = body.institution ?? { institution_id: null, name: null }
  const item = await exchangePublicToken(ctx, {
    publicToken: body.public_token,
    linkToken: body.link_token ?? null,
    institution: institutionId === null ? null : { id: institutionId, name: name ?? '' },
    ...(body.accounts ? { accounts: body.accounts } : {}),
    allowDuplicate: body.allow_duplicate ?? false,
  })
  return { status: 201, body: itemView(item) }
})
