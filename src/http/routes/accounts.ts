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
  current: decimal.nullable(),
  available: decimal.nullable(),
  limit: decimal.nullable(),
  currency: z.string().nullable(),
}

export const accountSchema = z
  .object({
    id,
    plaid_account_id: z.string(),
    item_id: id,
    name: z.string(),
    bank_name: z.string(),
    official_name: z.string().nullable(),
    mask: z.string().nullable(),
    type: z.string(),
    subtype: z.string().nullable(),
    balances: z.object({ ...amounts, as_of: instant.nullable() }),
    closed: z.boolean(),
    hidden: z.boolean(),
    in_insights: z.boolean(),
    duplicate_of: id.nullable(),
    possible_duplicate: z.boolean(),
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
    estimated: z.boolean(),
  })
  .meta({ id: 'DayBalance' })

const dayBalancesSchema = z
  .object({
    data: z.array(dayBalanceSchema),
    next_cursor: z.string().nullable(),
    estimated_from: day.nullable(),
    estimate_ends: z.enum(estimateEnds).nullable(),
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
