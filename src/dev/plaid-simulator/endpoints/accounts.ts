// /accounts/*: the open accounts, and their balances now.
import * as z from 'zod'
import { failure } from '../lib/failure.ts'
import { chosenAccounts, itemView } from '../state/item.ts'
import { accessToken, accountOptions, endpoint, readableItem } from './endpoint.ts'

const get = endpoint('/accounts/get', { access_token: accessToken, options: accountOptions }, (world, body) => {
  const item = readableItem(world, body.access_token)
  return { accounts: chosenAccounts(item, body.options?.account_ids), item: itemView(item) }
})

const balanceOptions = z
  .strictObject({
    account_ids: z.array(z.string()).optional(),
    min_last_updated_datetime: z.iso.datetime({ offset: true }).optional(),
  })
  .optional()

const balance = endpoint(
  '/accounts/balance/get',
  { access_token: accessToken, options: balanceOptions },
  (world, body) => {
    const item = readableItem(world, body.access_token)
    const accounts = chosenAccounts(item, body.options?.account_ids)
    if (accounts.length === 0) throw failure('NO_ACCOUNTS')
    return { accounts, item: itemView(item) }
  },
)

export const accountEndpoints = [get, balance]
