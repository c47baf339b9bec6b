// Step 6: a day passes at the bank and an account closes. Balances, holdings, investment transactions and liabilities
// follow, and the closed account stays, marked as closed.
import { accountEntry } from '../bank-book.ts'
import type { TableName } from '../book.ts'
import { check } from '../compare.ts'
import type { Demo, Finding, Linked } from '../context.ts'
import { settle } from '../settle.ts'

const reportedByWebhook: readonly TableName[] = ['transactions', 'holdings', 'investment_transactions', 'liabilities']

/** Webhooks report the changes of a day. */
export async function dayPasses(demo: Demo, linked: Linked): Promise<Finding> {
  await demo.bank.advanceDays(1)
  return await settle(demo, linked, 'a day passed at the bank, webhooks', reportedByWebhook)
}

/** Balances come with transactions and twice a day; a user can request them. */
export async function askForBalances(demo: Demo, linked: Linked): Promise<Finding> {
  await linked.api.syncItem(linked.itemId)
  return await settle(demo, linked, 'balances read on request', ['accounts'])
}

/** Closes the savings account, or another one without investments and liabilities. */
export async function closeAccount(demo: Demo, linked: Linked): Promise<Finding> {
  const { api, itemId, plaidItemId } = linked
  const { accounts } = await demo.bank.truth(plaidItemId)
  const deposits = accounts.filter(({ type }) => type === 'depository')
  const closing = deposits.find(({ subtype }) => subtype === 'savings') ?? deposits.at(-1)
  if (closing === undefined) throw new Error(`${linked.name} has no account to close.`)
  await demo.bank.change(plaidItemId, JSON.stringify({ close_account: closing.account_id }))
  const { id, fields } = accountEntry(closing)
  linked.closed.push({ id, fields: { ...fields, closed: true } })
  await api.syncItem(itemId)
  const finding = await settle(demo, linked, `${closing.name} closed, its history kept`)
  const kept = (await api.lists()).accounts.filter(({ closed }) => closed).map((account) => account.plaid_account_id)
  return { ...finding, differences: [...finding.differences, ...check('accounts', 'closed', [id], kept)] }
}
