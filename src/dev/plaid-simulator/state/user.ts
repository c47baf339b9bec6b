// A user of the application, as Plaid knows it.

export interface User {
  readonly userId: string
  readonly clientUserId: string
  /** Whether /user/create was called. A user that a link token names also exists without it. */
  created: boolean
  /** The user's id and token in the older user API. */
  readonly legacy: { readonly id: string; readonly token: string }
}
