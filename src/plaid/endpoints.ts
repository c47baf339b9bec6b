// Plaid's endpoints as functions, without decisions.
import type * as wire from 'plaid'
import type { Secret } from '../crypto/secret.ts'
import type { PlaidClient } from './client.ts'
import * as linkSchemas from './link-schemas.ts'
import * as schemas from './schemas.ts'

/** Plaid's maximum page size. */
export const pageSize = 500
/** Plaid fixes the period at an item's first call, so the first call must request all of it. */
const daysRequested = 730
/** Plaid's clients from before December 2025 get v1 by default, later ones v2. */
const categoryVersion = 'v2'

export interface HostedLink {
  /** Where Plaid redirects the user at the end; null for Plaid's last page. */
  readonly completionRedirectUri: string | null
  /** Whether an app opens the page in its own browser window. */
  readonly isMobileApp: boolean
  /** How long the page can be opened; null is Plaid's default, half an hour. */
  readonly urlLifetimeSeconds: number | null
}

/**
 * After its client has disconnected, a request can run for 30 s more. Within these, enough time must remain after the
 * response to store the token.
 */
const exchangeTimeoutMs = 15_000

export interface LinkTokenRequest {
  /** Our user id: never personal data such as an e-mail address. */
  readonly clientUserId: string
  /** Plaid's id of the user, by which it lists their items; null if there is none. */
  readonly plaidUserId: string | null
  readonly clientName: string
  readonly language: string
  readonly countryCodes: readonly string[]
  readonly webhook: string
  /** Institutions without one of these are not offered. */
  readonly products: readonly string[]
  /** Added if the institution supports them. */
  readonly optionalProducts: readonly string[]
  /** Required of institutions that support them. */
  readonly requiredIfSupportedProducts: readonly string[]
  /** The user is asked for consent; billed from the first call on. */
  readonly additionalConsentedProducts: readonly string[]
  readonly redirectUri?: string
  /** For Link on Android, which does not accept a redirect URI. */
  readonly androidPackageName?: string
  /** Null if Link does not run on a page of Plaid. */
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

/** The endpoints of one client. Each returns a `PlaidResult` and throws only for bugs. */
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
          // Plaid accepts one of the two.
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

    /** Asks Plaid to read the bank's transactions now. Billed by the call. */
    refreshTransactions: (accessToken: Secret) =>
      client.callPaid({
        path: '/transactions/refresh',
        idempotent: false,
        answer: linkSchemas.nothing,
        accessToken,
        body: {},
      }),

    /** The same for holdings and investment transactions. */
    refreshInvestments: (accessToken: Secret) =>
      client.callPaid({
        path: '/investments/refresh',
        idempotent: false,
        answer: linkSchemas.nothing,
        accessToken,
        body: {},
      }),

    /** The sessions of a link token. Plaid returns each for six hours after its end. */
    getLinkToken: (linkToken: Secret) =>
      client.call({ ...read, path: '/link/token/get', answer: linkSchemas.linkTokenGet, linkToken, body: {} }),

    /**
     * Plaid's id for a user; the same on each call. `upgraded` requests an id of the new user API for an older client.
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

    /** The items of a user, by Plaid's id of the user. */
    getUserItems: (plaidUserId: string) =>
      client.call({
        ...read,
        path: '/user/items/get',
        answer: linkSchemas.userItemsGet,
        body: { user_id: plaidUserId } satisfies BodyOf<wire.UserItemsGetRequest>,
      }),

    /** Removes items without their access tokens. Removes none unless all belong to the user. */
    removeUserItems: (plaidUserId: string, plaidItemIds: readonly string[]) =>
      client.call({
        ...read,
        path: '/user/items/remove',
        answer: linkSchemas.nothing,
        body: { user_id: plaidUserId, item_ids: plaidItemIds },
      }),

    /** Removes a user with all items that were linked for them. A second removal returns USER_NOT_FOUND. */
    removeUser: (plaidUserId: string) =>
      client.call({
        ...read,
        path: '/user/remove',
        answer: linkSchemas.nothing,
        body: { user_id: plaidUserId } satisfies BodyOf<wire.UserRemoveRequest>,
      }),

    /** Plaid invalidates the old access token immediately. Only the response contains the new one. */
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

    /** Idempotent: a second removal returns ITEM_NOT_FOUND, which is class `gone`. */
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
