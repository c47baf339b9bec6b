// The texts of the API reference: each operation and each tag. A new route fails `npm run openapi` until it is here.
import { accountTexts } from './accounts.ts'
import { adminTexts } from './admin.ts'
import { adminSearchTexts } from './admin-search.ts'
import { adminWorkTexts } from './admin-work.ts'
import { adminProtectionTexts } from './admin-protection.ts'
import { applicationTexts } from './applications.ts'
import { authTexts } from './auth.ts'
import { changeTexts } from './changes.ts'
import { eventTexts } from './events.ts'
import { itemTexts } from './items.ts'
import { liveTexts } from './live.ts'
import { moneyTexts } from './money.ts'
import { privacyTexts } from './privacy.ts'
import { ruleTexts } from './rules.ts'
import { systemTexts } from './system.ts'
import type { OperationText, OperationTexts } from './text.ts'
import { transactionTexts } from './transactions.ts'

/** Tag → description, in the order of the document. */
export const tagDescriptions: Readonly<Record<string, string>> = {
  health: 'Whether the service runs and is ready.',
  meta: 'The description of this API.',
  auth: 'Built-in accounts: registration, sign-in, sessions, passwords and the second factor. Absent with an OIDC issuer.',
  link: 'Plaid Link: link tokens and the exchange of public tokens.',
  items: 'Items: logins at institutions that the user linked.',
  sync: 'Syncs on demand, and the history of sync runs.',
  accounts: 'Bank accounts and their balances.',
  rules: 'Rules that give new transactions a category or hide them.',
  transactions: 'Transactions, their changes, recurring streams and edits of the user.',
  changes: 'The feed of everything that changed, for clients that keep a copy.',
  investments: 'Holdings and investment transactions.',
  liabilities: 'Credit cards, mortgages and student loans.',
  insights: 'Sums over accounts and transactions.',
  privacy: 'The rights of a person over their data.',
  'api-keys': 'API keys of users, and the tokens that API keys issue.',
  events: 'Events for applications: endpoints that get signed requests when data change, and what was sent to them.',
  live: 'A WebSocket that says when something has changed.',
  webhooks: 'The endpoint that receives webhooks from Plaid.',
  admin: 'For administrators (`role: "admin"`): states and counts of all users, without amounts and names.',
}

const texts: OperationTexts = {
  ...systemTexts,
  ...authTexts,
  ...itemTexts,
  ...accountTexts,
  ...transactionTexts,
  ...changeTexts,
  ...ruleTexts,
  ...moneyTexts,
  ...liveTexts,
  ...privacyTexts,
  ...applicationTexts,
  ...eventTexts,
  ...adminTexts,
  ...adminSearchTexts,
  ...adminWorkTexts,
  ...adminProtectionTexts,
}

/** @throws Error for an operation without a text */
export function textOf(operationId: string): OperationText {
  const text = texts[operationId]
  if (text === undefined) throw new Error(`Describe ${operationId} in src/http/reference.`)
  return text
}
