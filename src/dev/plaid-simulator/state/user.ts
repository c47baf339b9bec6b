// A user of the application, as Plaid knows it.

export interface User {
  readonly userId: string
  readonly clientUserId: string
  /** Whether /user/create was called for the user; naming a user in a link token is enough to be known. */
  created: boolean
  /** What clients of the older user API call the user. */
  readonly legacy: { readonly id: string; readonly token: string }
}
