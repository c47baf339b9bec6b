// Plaid's endpoints by name, each with what it takes and how it is called. No decisions are made here.
import type * as wire from 'plaid'
import type { Secret } from '../crypto/secret.ts'
import type { PlaidClient } from './client.ts'
import * as linkSchemas from './link-schemas.ts'
import * as schemas from './schemas.ts'

/** The most that Plaid gives a page. */
export const pageSize = 500
/** Fixed at an item's first initialisation, so the first call must ask for all of it. */
const daysRequested = 730
/** Clients of before December 2025 get v1 unless they ask; later ones get v2 alone. So all get the same. */
const categoryVersion = 'v2'

export interface HostedLink {
  /** Where Plaid sends the user at the end; null leaves them on Plaid's last page. */
  readonly completionRedirectUri: string | null
  /** Whether an app opens the page in its own browser window. */
  readonly isMobileApp: boolean
  /** How long the page can be opened; null is Plaid's default, half an hour. */
  readonly urlLifetimeSeconds: number | null
}

/**
 * A request that has lost its client may work for 30 s more. Of these the answer must leave enough to store the token.
 */
const exchangeTimeoutMs = 15_000

export interface LinkTokenRequest {
  /** Our user id: never an e-mail address or another thing that tells who it is. */
  readonly clientUserId: string
  /** Plaid's own id of the user, by which it tells later which items it holds for them; null where it gave none. */
  readonly plaidUserId: string | null
  readonly clientName: string
  readonly language: string
  readonly countryCodes: readonly string[]
  readonly webhook: string
  /** Institutions without one of these are not offered. */
  readonly products: readonly string[]
  /** Taken where the institution has them. */
  readonly optionalProducts: readonly string[]
  /** Required of the institutions that have them. */
  readonly requiredIfSupportedProducts: readonly string[]
  /** The user is asked to agree to these; they are billed from the first call on. */
  readonly additionalConsentedProducts: readonly string[]
  readonly redirectUri?: string
  /** For Link on Android, where Plaid takes no redirect URI. */
  readonly androidPackageName?: string
  /** Null where Link is not on a page of Plaid's. */
  readonly hostedLink: HostedLink | null
  /** Set for update mode. */
  readonly accessToken?: Secret
  readonly accountSelection: boolean
}

const asksFor = (request: LinkTokenRequest, product: string): boolean =>
  [
    request.products,
    request.requiredIfSupportedProducts,
    request.optionalProducts,
    request.additionalConsentedProducts,
  ].some((products) => products.includes(product))

function hostedLinkBody({ completionRedirectUri, isMobileApp, urlLifetimeSeconds }: HostedLink) {
  return {
    ...(completionRedirectUri === null ? {} : { completion_redirect_uri: completionRedirectUri }),
    ...(isMobileApp ? { is_mobile_app: true } : {}),
    ...(urlLifetimeSeconds === null ? {} : { url_lifetime_seconds: urlLifetimeSeconds }),
  } satisfies BodyOf<wire.LinkTokenCreateHostedLink>
}

/** A request's body: the compiler refuses a field that Plaid's type `Wire` does not have. */
type BodyOf<Wire> = { readonly [Name in keyof Wire]?: unknown }

/** Endpoints as functions over one client. Each answers `PlaidResult`, and throws only when the code is at fault. */
export function createPlaid(client: PlaidClient) {
  const read = { idempotent: true } as const
  const write = { idempotent: false } as const
  return {
    createLinkToken: (request: LinkTokenRequest) =>
      client.call({
        ...write,
        path: '/link/token/create',
        answer: linkSchemas.linkTokenCreate,
        ...(request.accessToken === undefined ? {} : { accessToken: request.accessToken }),
        body: {
          client_name: request.clientName,
          language: request.language,
          country_codes: request.countryCodes,
          // Plaid takes one of the two; its own samples leave `user` out beside `user_id`.
          ...(request.plaidUserId === null
            ? { user: { client_user_id: request.clientUserId } }
            : { user_id: request.plaidUserId }),
          webhook: request.webhook,
          ...(request.redirectUri === undefined ? {} : { redirect_uri: request.redirectUri }),
          ...(request.androidPackageName === undefined ? {} : { android_package_name: request.androidPackageName }),
          ...(request.hostedLink === null ? {} : { hosted_link: hostedLinkBody(request.hostedLink) }),
          ...(request.additionalConsentedProducts.length === 0
            ? {}
            : { additional_consented_products: request.additionalConsentedProducts }),
          ...(request.accessToken === undefined
            ? {
                products: request.products,
                ...(request.requiredIfSupportedProducts.length === 0
                  ? {}
                  : { required_if_supported_products: request.requiredIfSupportedProducts }),
                ...(request.optionalProducts.length === 0 ? {} : { optional_products: request.optionalProducts }),
                ...(asksFor(request, 'transactions') ? { transactions: { days_requested: daysRequested } } : {}),
              }
            : { update: { account_selection_enabled: request.accountSelection } }),
        } satisfies BodyOf<wire.LinkTokenCreateRequest>,
      }),

    /** What became of a link token's sessions; Plaid tells it for six hours after each. */
    getLinkToken: (linkToken: Secret) =>
      client.call({ ...read, path: '/link/token/get', answer: linkSchemas.linkTokenGet, linkToken, body: {} }),

    /**
     * Plaid's id for a user: the same one each time. `upgraded` asks for an id of the new user API as an older client.
     */
    createUser: (clientUserId: string, upgraded: boolean) =>
      client.call({
        ...read,
        path: '/user/create',
        answer: linkSchemas.userCreate,
        body: {
          client_user_id: clientUserId,
          ...(upgraded ? { with_upgraded_user: true } : {}),
        } satisfies BodyOf<wire.UserCreateRequest>,
      }),

    /** The items that Plaid holds for a user, by Plaid's id of the user. */
    getUserItems: (plaidUserId: string) =>
      client.call({
        ...read,
        path: '/user/items/get',
        answer: linkSchemas.userItemsGet,
        body: { user_id: plaidUserId } satisfies BodyOf<wire.UserItemsGetRequest>,
      }),

    /** Ends items without their access tokens: none of them unless all are the user's. */
    removeUserItems: (plaidUserId: string, plaidItemIds: readonly string[]) =>
      client.call({
        ...read,
        path: '/user/items/remove',
        answer: linkSchemas.nothing,
        body: { user_id: plaidUserId, item_ids: plaidItemIds },
      }),

    /** Plaid kills the old access token at once; the answer is the only place where the new one is. */
    invalidateAccessToken: (accessToken: Secret) =>
      client.call({
        ...write,
        path: '/item/access_token/invalidate',
        answer: linkSchemas.accessTokenInvalidate,
        accessToken,
        body: {},
      }),

    exchangePublicToken: (publicToken: Secret) =>
      client.call({
        ...write,
        path: '/item/public_token/exchange',
        timeoutMs: exchangeTimeoutMs,
        answer: linkSchemas.publicTokenExchange,
        body: {},
        publicToken,
      }),

    getItem: (accessToken: Secret) =>
      client.call({ ...read, path: '/item/get', answer: linkSchemas.itemGet, accessToken, body: {} }),

    /** Idempotent in effect: the second removal answers ITEM_NOT_FOUND, which is class `gone`. */
    removeItem: (accessToken: Secret) =>
      client.call({ ...read, path: '/item/remove', answer: linkSchemas.nothing, accessToken, body: {} }),

    updateItemWebhook: (accessToken: Secret, webhook: string) =>
      client.call({
        ...read,
        path: '/item/webhook/update',
        answer: linkSchemas.nothing,
        accessToken,
        body: { webhook } satisfies BodyOf<wire.ItemWebhookUpdateRequest>,
      }),

    getAccounts: (accessToken: Secret) =>
      client.call({ ...read, path: '/accounts/get', answer: schemas.accountsGet, accessToken, body: {} }),

    /** A page of changes since `cursor`; null from the start. */
    syncTransactions: (accessToken: Secret, cursor: string | null) =>
      client.call({
        ...read,
        path: '/transactions/sync',
        answer: schemas.transactionsSync,
        accessToken,
        body: {
          count: pageSize,
          ...(cursor === null ? {} : { cursor }),
          options: {
            ...(cursor === null ? { days_requested: daysRequested } : {}),
            personal_finance_category_version: categoryVersion,
          },
        } satisfies BodyOf<wire.TransactionsSyncRequest>,
      }),

    getRecurring: (accessToken: Secret) =>
      client.call({
        ...read,
        path: '/transactions/recurring/get',
        answer: schemas.recurringGet,
        accessToken,
        body: {
          options: { personal_finance_category_version: categoryVersion },
        } satisfies BodyOf<wire.TransactionsRecurringGetRequest>,
      }),

    getHoldings: (accessToken: Secret) =>
      client.call({ ...read, path: '/investments/holdings/get', answer: schemas.holdingsGet, accessToken, body: {} }),

    /** Days inclusive, `YYYY-MM-DD`; `offset` counts transactions. */
    getInvestmentTransactions: (accessToken: Secret, window: { from: string; to: string; offset: number }) =>
      client.call({
        ...read,
        path: '/investments/transactions/get',
        answer: schemas.investmentTransactionsGet,
        accessToken,
        body: {
          start_date: window.from,
          end_date: window.to,
          options: { count: pageSize, offset: window.offset, async_update: true },
        } satisfies BodyOf<wire.InvestmentsTransactionsGetRequest>,
      }),

    getLiabilities: (accessToken: Secret) =>
      client.call({ ...read, path: '/liabilities/get', answer: schemas.liabilitiesGet, accessToken, body: {} }),

    getWebhookVerificationKey: (keyId: string) =>
      client.call({
        ...read,
        path: '/webhook_verification_key/get',
        answer: linkSchemas.verificationKey,
        body: { key_id: keyId } satisfies BodyOf<wire.WebhookVerificationKeyGetRequest>,
      }),
  }
}

export type Plaid = ReturnType<typeof createPlaid>
