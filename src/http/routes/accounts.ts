// Accounts, and their current and daily balances.
import * as z from 'zod'
import { type Account, editAccount, getAccount, listAccounts } from '../../db/records/accounts.ts'
import { type DayBalance, listBalances } from '../../db/read/balances.ts'
import { estimateEnds } from '../../db/read/estimates.ts'
import { AppError } from '../../errors.ts'
import { announceOwn } from '../../live/announce.ts'
import { day, dayRange, decimal, hiddenQuery, id, instant, inOrder, line, timeTextOrNull } from '../schemas.ts'
import { dayCursor, keyCursor, pageBody, listResponse, pageQuery } from '../pagination.ts'
import { route } from '../route.ts'

const amounts = {
  current: decimal
    .nullable()
    .describe(
      'Plaid’s current balance, without pending transactions. `depository`: the money in the account; negative when overdrawn. `credit`: the amount owed; negative when the institution owes the user. `loan`: the principal that remains to be paid. `investment`: the value of all assets. Null if the institution does not report it; then `available` is set.',
    ),
  available: decimal
    .nullable()
    .describe(
      'The amount that can be withdrawn or spent. `depository`: usually `current` minus pending money out plus pending money in, without the overdraft limit. `credit`: usually `limit` minus `current`, adjusted in the same way. `investment`: the cash that can be withdrawn. Null if the institution does not calculate it.',
    ),
  limit: decimal
    .nullable()
    .describe('`credit`: the credit limit. `depository`: the agreed overdraft limit. Otherwise null.'),
  currency: z.string().nullable(),
}

export const accountSchema = z
  .object({
    id,
    plaid_account_id: z.string(),
    item_id: id,
    name: z.string().describe('The name that the user gave the account; without one, `bank_name`.'),
    bank_name: z.string().describe('The name that the institution or the user gave the account at the institution.'),
    official_name: z.string().nullable(),
    mask: z.string().nullable(),
    type: z.string(),
    subtype: z.string().nullable(),
    balances: z.object({ ...amounts, as_of: instant.nullable() }),
    closed: z.boolean(),
    hidden: z
      .boolean()
      .describe('Whether the user hid the account: lists leave it and its rows out unless the request includes them.'),
    in_insights: z.boolean().describe('Whether the account counts in net worth, cash flow and spending.'),
    duplicate_of: id
      .nullable()
      .describe(
        'The id of the account that this one duplicates or may duplicate, or null. Only one of the two counts in sums.',
      ),
    possible_duplicate: z
      .boolean()
      .describe('Whether the user has to decide about the duplicate (see `/plaid/items/{id}/duplicates`).'),
  })
  .meta({ id: 'Account' })

export function accountView(account: Account): z.input<typeof accountSchema> {
  const { current, available, limit, currency } = account
  return {
    id: account.id,
    plaid_account_id: account.plaidAccountId,
    item_id: account.itemId,
    name: account.name,
    bank_name: account.bankName,
    official_name: account.officialName,
    mask: account.mask,
    type: account.type,
    subtype: account.subtype,
    balances: { current, available, limit, currency, as_of: timeTextOrNull(account.balanceAsOf) },
    closed: account.closed,
    hidden: account.hidden,
    in_insights: account.inInsights,
    duplicate_of: account.duplicateOf,
    possible_duplicate: account.duplicateOf !== null && account.duplicateState === 'possible',
  }
}

const dayBalanceSchema = z
  .object({
    date: day,
    ...amounts,
    as_of: instant.nullable(),
    estimated: z
      .boolean()
      .describe(
        'Whether `current` follows from later balances and transactions, because the institution reported none.',
      ),
  })
  .meta({ id: 'DayBalance' })

const dayBalancesSchema = z
  .object({
    data: z.array(dayBalanceSchema),
    next_cursor: z.string().nullable(),
    estimated_from: day.nullable().describe('The first estimated day; null if no day is estimated.'),
    estimate_ends: z
      .enum(estimateEnds)
      .nullable()
      .describe(
        'Why earlier days are not estimated. `oldest_transaction`: there are no earlier transactions. `history_incomplete`: Plaid has not sent all of them yet. `currency`: a transaction or a balance has another currency. `balance_mismatch`: the transactions do not explain the next reported balance. `pending_in_doubt`: the reported balance may include pending transactions. `unreadable_transactions`: some could not be read. `no_transactions`: there are none. `no_balance`: the first report has no current balance. `account_type`: accounts of this type are not estimated. Null if no balance was reported.',
      ),
  })
  .meta({ id: 'DayBalanceList' })

function dayBalanceView(balance: DayBalance): z.input<typeof dayBalanceSchema> {
  const { day: date, ...reported } = balance
  return { date, ...reported }
}

const tags = ['accounts']
const params = z.object({ id })
const noSuchAccount = (): AppError => new AppError('not_found', 'There is no such account.')
const byCreation = keyCursor('accounts', 'instant')
const byDay = dayCursor('balances')

export const listAccountsRoute = route({
  id: 'listAccounts',
  method: 'GET',
  path: '/api/v1/accounts',
  summary: 'List accounts',
  tags,
  access: 'user',
  query: z.strictObject({ ...pageQuery, ...hiddenQuery }),
  answers: { 200: listResponse(accountSchema, 'AccountList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services, actor }, { query }) => {
  const from = byCreation.read(query.cursor)
  const page = await listAccounts(services.api, actor.identity, query.limit, from, query.include_hidden)
  return { status: 200, body: pageBody(page, byCreation, accountView) }
})

export const getAccountRoute = route({
  id: 'getAccount',
  method: 'GET',
  path: '/api/v1/accounts/{id}',
  summary: 'Get an account',
  tags,
  access: 'user',
  params,
  answers: { 200: accountSchema },
  errors: ['not_found'],
}).handle(async ({ services, actor }, input) => {
  const account = await getAccount(services.api, actor.identity, input.params.id)
  if (account === null) throw noSuchAccount()
  return { status: 200, body: accountView(account) }
})

const edits = z
  .strictObject({
    name: line(100).nullable().optional(),
    hidden: z.boolean().optional(),
    in_insights: z.boolean().optional(),
  })
  .refine((given) => Object.keys(given).length > 0, { error: 'Must have at least one field.' })
  .meta({ id: 'AccountEdits', description: 'An absent field stays as it is.', minProperties: 1 })

export const editAccountRoute = route({
  id: 'editAccount',
  audit: { none: 'The user arranges their own accounts; the institution’s data stay.' },
  method: 'PATCH',
  path: '/api/v1/accounts/{id}',
  summary: 'Edit an account',
  tags,
  access: 'user',
  params,
  body: edits,
  answers: { 200: accountSchema },
  errors: ['not_found'],
}).handle(async (ctx, { params: { id: accountId }, body }) => {
  const { services, actor } = ctx
  const { name, hidden, in_insights: inInsights } = body
  const account = await editAccount(services.api, actor.identity, accountId, { name, hidden, inInsights })
  if (account === null) throw noSuchAccount()
  await announceOwn(ctx, [account.itemId])
  return { status: 200, body: accountView(account) }
})

export const listBalancesRoute = route({
  id: 'listBalances',
  method: 'GET',
  path: '/api/v1/accounts/{id}/balances',
  summary: 'List daily balances',
  tags,
  access: 'user',
  params,
  query: z.strictObject({ ...pageQuery, ...dayRange }).check(inOrder()),
  answers: { 200: dayBalancesSchema },
  errors: ['invalid_cursor', 'not_found'],
}).handle(async ({ services, actor }, { params: { id: accountId }, query }) => {
  const window = {
    from: query.from ?? null,
    to: query.to ?? null,
    limit: query.limit,
    after: byDay.read(query.cursor),
  }
  const found = await listBalances(services.api, actor.identity, accountId, window)
  if (found === null) throw noSuchAccount()
  const next = found.next === null ? null : byDay.write(found.next)
  return {
    status: 200,
    body: {
      data: found.rows.map(dayBalanceView),
      next_cursor: next,
      estimated_from: found.estimatedFrom,
      estimate_ends: found.estimateEnds,
    },
  }
})
