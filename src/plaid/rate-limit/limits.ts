// Plaid's limits per minute, by item and by client; which endpoints share one; and which endpoints are paid. window.ts
// counts.

/**
 * `item`, `client`: calls in a minute. `day`: calls of a paid endpoint for an item in a UTC day; this project's limit,
 * not Plaid's.
 */
export interface PlaidLimit {
  readonly item: number
  readonly client: number
  readonly day: number | null
}

const free = (item: number, client: number): PlaidLimit => ({ item, client, day: null })

/** Plaid's documented limits of a production client. They differ by customer; `PLAID_LIMITS` overrides them. */
export const defaultLimits = {
  sync: free(50, 2500),
  accounts: free(15, 15_000),
  balance: { item: 5, client: 1200, day: 4 },
  holdings: free(15, 2000),
  investment_transactions: free(30, 20_000),
  liabilities: free(15, 1000),
  item_get: free(15, 5000),
  item_remove: free(30, 2000),
  recurring: free(20, 1000),
  // Undocumented. Separate from `other`, so that the reconciler's checks do not use up the limit of linking.
  user_items: free(500, 500),
  refresh: { item: 2, client: 100, day: 4 },
  // Undocumented. A common limit, so that a loop of links or webhooks cannot use up what Plaid allows.
  other: free(500, 500),
} as const satisfies Record<string, PlaidLimit>

export type PlaidLimitName = keyof typeof defaultLimits
export const isLimitName = (text: string): text is PlaidLimitName => Object.hasOwn(defaultLimits, text)
export type PlaidLimits = Readonly<Record<PlaidLimitName, PlaidLimit>>

/** Limits that replace the defaults. Each number can be set alone. */
export type PlaidLimitChoices = Readonly<
  Partial<Record<PlaidLimitName, { readonly [Name in keyof PlaidLimit]?: number | undefined } | undefined>>
>

/** Billed for each call: never in a loop, never by accident. */
export const paidPaths = ['/accounts/balance/get', '/transactions/refresh', '/investments/refresh'] as const
export type PaidPath = (typeof paidPaths)[number]

const limitOfPath: ReadonlyMap<string, PlaidLimitName> = new Map([
  ['/transactions/sync', 'sync'],
  ['/accounts/get', 'accounts'],
  ['/accounts/balance/get', 'balance'],
  ['/investments/holdings/get', 'holdings'],
  ['/investments/transactions/get', 'investment_transactions'],
  ['/liabilities/get', 'liabilities'],
  ['/item/get', 'item_get'],
  ['/item/remove', 'item_remove'],
  ['/transactions/recurring/get', 'recurring'],
  ['/transactions/refresh', 'refresh'],
  ['/investments/refresh', 'refresh'],
  ['/link/token/create', 'other'],
  ['/link/token/get', 'other'],
  ['/item/public_token/exchange', 'other'],
  ['/item/access_token/invalidate', 'other'],
  ['/item/webhook/update', 'other'],
  ['/user/create', 'other'],
  ['/user/items/get', 'user_items'],
  ['/user/items/remove', 'user_items'],
  ['/user/remove', 'other'],
  ['/webhook_verification_key/get', 'other'],
])

export function isPaidPath(path: string): path is PaidPath {
  return paidPaths.some((paid) => paid === path)
}

/** The limit that an endpoint counts against; null for an endpoint that is not called here. */
export function limitNameOf(path: string): PlaidLimitName | null {
  return limitOfPath.get(path) ?? null
}

/** Every limit, with the operator's choices in place of the defaults. */
export function limitsWith(choices: PlaidLimitChoices): PlaidLimits {
  const chosen = (name: PlaidLimitName): PlaidLimit => {
    const [limit, choice] = [defaultLimits[name], choices[name]]
    return {
      item: choice?.item ?? limit.item,
      client: choice?.client ?? limit.client,
      day: limit.day === null ? null : (choice?.day ?? limit.day),
    }
  }
  return {
    sync: chosen('sync'),
    accounts: chosen('accounts'),
    balance: chosen('balance'),
    holdings: chosen('holdings'),
    investment_transactions: chosen('investment_transactions'),
    liabilities: chosen('liabilities'),
    item_get: chosen('item_get'),
    item_remove: chosen('item_remove'),
    recurring: chosen('recurring'),
    user_items: chosen('user_items'),
    refresh: chosen('refresh'),
    other: chosen('other'),
  }
}
