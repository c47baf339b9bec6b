// The orders that change the bank of one item.
import type { Account } from '../bank/model.ts'
import { negateExact } from '../bank/number.ts'
import type { RawNumber } from '../bank/values.ts'
import type { ErrorCode } from '../lib/failure.ts'
import type { Item } from '../state/item.ts'
import { type Form, FormProblem } from './form.ts'
import { countIn, counted, type Order, webhookWords } from './outcome.ts'

type Words = Order['words']
type BankOrder = (item: Item, form: Form) => Order

/** The errors with which a login breaks. */
export const loginErrors = [
  'ITEM_LOGIN_REQUIRED',
  'INVALID_CREDENTIALS',
  'INVALID_MFA',
  'ITEM_LOCKED',
  'INSUFFICIENT_CREDENTIALS',
  'USER_SETUP_REQUIRED',
] as const satisfies readonly ErrorCode[]

/** The kinds of account that the panel opens. */
export const accountKinds = {
  checking: ['depository', 'Checking'],
  savings: ['depository', 'Savings'],
  'credit card': ['credit', 'Credit card'],
  student: ['loan', 'Student loan'],
  brokerage: ['investment', 'Brokerage'],
} as const satisfies Readonly<Record<string, readonly [Account['type'], string]>>
const kindNames = ['checking', 'savings', 'credit card', 'student', 'brokerage'] as const

const change = ({ itemId }: Item, body: object, words: Words): Order => ({
  method: 'POST',
  path: `/items/${encodeURIComponent(itemId)}/bank`,
  body,
  words: (answer) => `${words(answer)} ${webhookWords(answer)}`,
})

function signedAmount(form: Form): RawNumber {
  const amount = form.amount('amount', 'The amount')
  return form.oneOf('direction', 'The direction', ['out', 'in']) === 'out' ? amount : negateExact(amount)
}

function dateIn(form: Form): { date?: string } {
  const date = form.text('date')
  if (date === '') return {}
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) throw new FormProblem('The date must be a day, such as 2026-01-31.')
  return { date }
}

function named(form: Form): string {
  const name = form.text('name')
  if (name === '' || name.length > 200) throw new FormProblem('The name must have 1 to 200 characters.')
  return name
}

const add: BankOrder = (item, form) => {
  const account = form.text('account_id')
  const name = named(form)
  const row = {
    ...(account === '' ? {} : { account_id: account }),
    name,
    amount: signedAmount(form),
    ...dateIn(form),
    ...(form.isChecked('pending') ? { pending: true } : {}),
  }
  return change(item, { add: [row] }, () => `“${name}” is at the bank.`)
}

const modify: BankOrder = (item, form) => {
  const row = {
    transaction_id: form.text('transaction_id'),
    name: named(form),
    amount: signedAmount(form),
    ...dateIn(form),
  }
  return change(item, { modify: [row] }, () => `The bank has changed “${row.name}”.`)
}

const remove: BankOrder = (item, form) =>
  change(item, { remove: [form.text('transaction_id')] }, () => 'The bank has removed the transaction.')

const postedWords: Words = (answer) => {
  const posted = countIn(answer, 'posted')
  if (posted === 0) return 'Nothing was pending.'
  return `${counted(posted, 'pending transaction')} ${posted === 1 ? 'has' : 'have'} posted under a new id.`
}

const post: BankOrder = (item, form) =>
  change(item, { post_pending: { transaction_ids: [form.text('transaction_id')] } }, postedWords)

const breakLogin: BankOrder = (item, form) => {
  const code = form.oneOf('error_code', 'The error', loginErrors)
  return change(item, { login_required: { error_code: code } }, () => `The login fails with ${code}.`)
}

const open: BankOrder = (item, form) => {
  const kind = form.oneOf('kind', 'The kind', kindNames)
  const name = named(form)
  const shared = form.isChecked('shared')
  return change(
    item,
    { new_account: { name, type: accountKinds[kind][0], subtype: kind, ...(shared ? { shared } : {}) } },
    () => `“${name}” is open${shared ? ' and shared' : ', and is not shared yet'}.`,
  )
}

function isSure(form: Form): void {
  if (!form.isChecked('sure')) throw new FormProblem('Tick the box to confirm. Nothing has changed.')
}

const revoke: BankOrder = (item, form) => {
  isSure(form)
  return change(item, { revoke: true }, () => 'The user has revoked the access.')
}

/** By the name that the form's address ends in. */
export const bankOrders: Readonly<Record<string, BankOrder>> = {
  add,
  modify,
  remove,
  post,
  'post-all': (item) => change(item, { post_pending: true }, postedWords),
  break: breakLogin,
  repair: (item) => change(item, { login_repaired: true }, () => 'The login works again.'),
  expire: (item) =>
    change(item, { pending_expiration: true }, () => 'The consent ends in a week unless the user renews it.'),
  disconnect: (item) =>
    change(item, { pending_disconnect: true }, () => 'The bank disconnects in a week unless the user logs in again.'),
  revoke,
  open,
  close: (item, form) =>
    change(item, { close_account: form.text('account_id') }, () => 'The bank has closed the account.'),
  withdraw: (item, form) =>
    change(item, { revoke_account: form.text('account_id') }, () => 'The user no longer shares the account.'),
}
