// The description of each operation and each tag in the OpenAPI document. Read when the document is written, never for a
// request.

/** Tag → description, in the order of the document. */
export const tagDescriptions: Readonly<Record<string, string>> = {
  health: 'Whether the service is alive and ready.',
  meta: 'The description of this API.',
  auth: 'Built-in accounts: registration, sign-in, sessions, passwords and the second factor. Absent under an OIDC issuer.',
  link: 'Plaid Link: link tokens and the exchange of public tokens.',
  items: 'Linked banks (Plaid items).',
  sync: 'On-demand syncs and their history.',
  accounts: 'Bank accounts and their balances.',
  transactions: 'Transactions, their changes, recurring streams and user edits.',
  investments: 'Holdings and investment transactions.',
  liabilities: 'Credit cards, mortgages and student loans.',
  insights: 'Sums over accounts and transactions.',
  webhooks: 'Where Plaid sends its webhooks.',
  admin: 'For administrators (`role: "admin"`): states and counts of all users, without amounts and names.',
}

const mailed = 'The response does not reveal whether the address is known.'
const paged = 'Returns one page; pass `next_cursor` as `cursor` for the next one.'

/** operationId → description. */
export const operationDescriptions: Readonly<Record<string, string>> = {
  health: 'Returns 200 while the Worker runs. Depends on nothing.',
  ready:
    'Returns 200 when each database login reaches a migrated database with its own rights and no others, and the encryption key works. Otherwise returns 503; the reason is in the log.',
  openapi: 'Returns this document.',
  securityTxt:
    'Returns where to report a vulnerability, in the format of RFC 9116. Returns 404 unless the operator named a contact (`SECURITY_CONTACT`).',
  receiveWebhook:
    'Verifies the signature over the raw body, stores the event once and schedules the syncs that it asks for. Every refusal is the same 401.',
  register: `Sends a verification e-mail. The account exists once its address is verified. ${mailed}`,
  verifyEmail:
    'Creates the account from the code in the e-mail and the registered password, and returns a session. With `transport: "cookie"`, the page and the API must be on one site.',
  login:
    'Returns an access token and a refresh token. An account with a second factor also needs `code`. With `transport: "cookie"`, the page and the API must be on one site.',
  refreshSession:
    'Takes a refresh token from the body or the cookie and returns the next pair of tokens. A refresh token works once: for ten seconds it returns the same successor again, after that its reuse ends the session. The body may be absent.',
  logout:
    'Ends the session of a refresh token from the body or the cookie, and removes the cookie. The body may be absent.',
  forgotPassword: `Sends an e-mail with a code for a new password. ${mailed}`,
  resetPassword: 'Sets a new password by the code from the e-mail and ends every session. The second factor stays.',
  createLinkToken:
    'Creates a link token for a new bank, or for update mode of a linked item. The token is bound to the user.',
  exchangePublicToken:
    'Exchanges the public token of a finished Link session. Returns the item; its data arrive in the background.',
  listItems: `Returns the user's items with the state of each product, oldest first. ${paged}`,
  getItem: 'Returns one item with the state of each product.',
  removeItem: 'Removes the item at Plaid and hides its data. With `purge`, deletes the data at once.',
  markItemRepaired: 'Reports that update mode was finished. Schedules a sync of all products of the item.',
  rotateAccessToken:
    'Exchanges the access token of the item at Plaid for a new one. Plaid invalidates the old one at once.',
  listDuplicates:
    'Returns the accounts of the item that duplicate, or may duplicate, other accounts of the user. Of each pair, only one account counts in sums.',
  settleDuplicate:
    'Stores the decision of the user about a duplicate. A merge leaves one account, with the id of the account merged into. If both items are live, both accounts remain and one of them counts.',
  syncAll: 'Schedules a sync of all products of all items of the user.',
  syncItem: 'Schedules a sync of all products of one item.',
  listSyncRuns: `Returns the user's sync runs, newest first. ${paged}`,
  listAccounts: `Returns the user's accounts, closed ones included, oldest first. ${paged}`,
  getAccount: 'Returns one account.',
  listBalances: `Returns the balance of an account at the end of each day, oldest first. ${paged}`,
  listTransactions: `Returns the transactions that match all given filters, newest first. ${paged}`,
  listTransactionChanges:
    'Returns what changed after a change number, in order. Each transaction appears once, in its current state.',
  listRecurringTransactions: `Returns recurring inflows and outflows as Plaid finds them, newest first. ${paged}`,
  getTransaction: 'Returns one transaction.',
  editTransaction: 'Sets the user’s own note or category of a transaction. Syncs keep it.',
  listHoldings: `Returns current holdings by account. ${paged}`,
  listInvestmentTransactions: `Returns the investment transactions that match all given filters, newest first. ${paged}`,
  listLiabilities: `Returns liabilities by account. ${paged}`,
  netWorth: 'Returns assets and debts by day and currency. The default is the last 30 days; the maximum is 731 days.',
  cashFlow: 'Returns inflows and outflows by interval and currency. Transfers between own accounts do not count.',
  spending: 'Returns spending by currency and category. The default is the last 30 days; the maximum is 731 days.',
  adminListItems: `Returns the items of all users with the state of their syncs, oldest first. ${paged}`,
  adminResyncItem: 'Schedules a sync of one item from the start and reconciles the stored rows. User edits stay.',
  adminRecheckItem:
    'Asks Plaid for an item that is `relink_required`. Where Plaid knows it, the item becomes `initializing` and is read again. Any other item is read again at once.',
  adminListWebhooks: `Returns the verified webhooks, newest first. ${paged}`,
  adminListSyncRuns: `Returns the sync runs of all users, newest first. ${paged}`,
  adminListSetAside: `Returns the rows of Plaid's responses that could not be read or that name an unknown account, newest first, without their contents. Each sync tries them again. ${paged}`,
  adminListDeadLetters: `Returns the queue messages that failed every delivery, newest first. ${paged}`,
  adminReplayDeadLetters: 'Replays up to 1,000 dead letters that were not replayed before.',
  adminReplayDeadLetter: 'Replays one dead letter.',
  adminUsage:
    'Returns counts of Plaid calls by day, endpoint and outcome, with the estimated cost. The default is the last 30 days.',
  logoutAll: 'Ends all sessions of the user, the current one included.',
  changePassword: 'Sets a new password, ends every other session and sends a notice by e-mail.',
  enrollTotp: 'Creates a secret for an authenticator app. It takes effect when it is confirmed.',
  confirmTotp:
    'Confirms the enrolled secret by a code. From then on sign-in asks for one. Ends every other session and sends a notice by e-mail. Returns recovery codes.',
  disableTotp: 'Removes the second factor.',
  listSessions: 'Returns the sessions of the account, oldest first, 50 at most.',
  endSession: 'Ends one session.',
}
