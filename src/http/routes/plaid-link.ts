// Linking: a token that opens Plaid's Link, and the exchange of what Link gives back.
import * as z from 'zod'
import { type Config, type PlaidProduct, plaidProducts } from '../../config.ts'
import { AppError } from '../../errors.ts'
import { createLinkToken } from '../../link/create-link-token.ts'
import { exchangePublicToken } from '../../link/exchange-public-token.ts'
import { id, line } from '../fields.ts'
import { route } from '../route.ts'
import { itemSchema, itemView } from './items.ts'

const createBody = z
  .strictObject({
    item_id: id.optional().describe('The item to repair: update mode.'),
    redirect_uri: z.string().max(2048).optional().describe('An https URL that is registered with Plaid.'),
    products: z
      .array(z.enum(plaidProducts))
      .min(1)
      .max(plaidProducts.length)
      .optional()
      .describe(
        'What the bank must have. In update mode: what the user is asked to agree to, beside what lacks consent.',
      ),
    hosted: z.boolean().optional().describe("Link on a page of Plaid's own."),
    account_selection: z.boolean().optional().describe('In update mode: let the user choose accounts again.'),
    language: z
      .string()
      .regex(/^[a-z]{2}$/, { error: 'Must be a language of two letters.' })
      .optional(),
    country_codes: z
      .array(z.string().regex(/^[A-Z]{2}$/, { error: 'Must be a country of two letters (ISO 3166-1).' }))
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

/** https, or http to the laptop itself where the configuration is not strict. */
function checkRedirectUri(text: string, config: Config): void {
  const url = URL.parse(text)
  const isLocal = url?.protocol === 'http:' && ['localhost', '127.0.0.1'].includes(url.hostname) && !config.strict
  const isPlain = url !== null && url.username === '' && url.password === '' && url.hash === ''
  if (!isPlain || !(url.protocol === 'https:' || isLocal)) throw refuse('#/redirect_uri', 'Must be an https URL.')
}

function checkProducts(products: readonly PlaidProduct[], config: Config): void {
  const absent = products.findIndex((product) => !config.plaid.products.includes(product))
  if (absent !== -1) throw refuse(`#/products/${absent}`, 'This deployment does not have the product.')
}

export const createLinkTokenRoute = route({
  id: 'createLinkToken',
  method: 'POST',
  path: '/api/v1/plaid/link/token/create',
  summary: 'Start Link for a new bank, or in update mode for one that is linked',
  tags: ['link'],
  access: 'user',
  limit: 'link',
  body: createBody,
  answers: { 200: linkTokenSchema },
  errors: ['not_found', 'plaid_rejected', 'plaid_unavailable', 'token_undecryptable'],
}).handle(async (ctx, { body }) => {
  const { config } = ctx.services
  if (body.redirect_uri !== undefined) checkRedirectUri(body.redirect_uri, config)
  if (body.products !== undefined) checkProducts(body.products, config)
  const { linkToken, expiration, hostedLinkUrl } = await createLinkToken(ctx, {
    itemId: body.item_id ?? null,
    redirectUri: body.redirect_uri ?? null,
    products: body.products ?? null,
    hosted: body.hosted ?? false,
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
  .regex(/^[A-Za-z0-9-]+$/, { error: 'Must be a token as Link gave it.' })

const exchangeBody = z
  .strictObject({
    public_token: plaidToken,
    link_token: plaidToken.optional(),
    institution: z
      .strictObject({ institution_id: line(100), name: line(200) })
      .nullable()
      .optional()
      .describe("From Link's metadata."),
    accounts: z
      .array(
        z.strictObject({
          name: line(200).nullable(),
          mask: line(10).nullable(),
          subtype: line(100).nullable(),
        }),
      )
      .max(100)
      .optional()
      .describe("From Link's metadata."),
    allow_duplicate: z.boolean().optional(),
  })
  .meta({ id: 'ExchangeRequest' })

export const exchangePublicTokenRoute = route({
  id: 'exchangePublicToken',
  method: 'POST',
  path: '/api/v1/plaid/item/public_token/exchange',
  summary: "Exchange Link's public token for an item that stays in sync",
  tags: ['link'],
  access: 'user',
  limit: 'link',
  body: exchangeBody,
  answers: { 201: itemSchema },
  errors: [
    'public_token_refused',
    'link_token_refused',
    'duplicate_item',
    'conflict',
    'item_needs_attention',
    'plaid_rejected',
    'plaid_unavailable',
    'token_undecryptable',
  ],
}).handle(async (ctx, { body }) => {
  const { institution } = body
  const item = await exchangePublicToken(ctx, {
    publicToken: body.public_token,
    linkToken: body.link_token ?? null,
    institution: institution ? { id: institution.institution_id, name: institution.name } : null,
    ...(body.accounts === undefined ? {} : { accounts: body.accounts }),
    allowDuplicate: body.allow_duplicate ?? false,
  })
  return { status: 201, body: itemView(item) }
})
