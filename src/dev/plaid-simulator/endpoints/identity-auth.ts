// /identity/get and /auth/get: the owners of the accounts, and their account and routing numbers.
import type { AccountNumbers } from '../bank/model.ts'
import { failure } from '../lib/failure.ts'
import { chosenAccounts, itemView } from '../state/item.ts'
import { accessToken, accountOptions, endpoint, readableItem, useProduct } from './endpoint.ts'

const identity = endpoint('/identity/get', { access_token: accessToken, options: accountOptions }, (world, body) => {
  const item = readableItem(world, body.access_token)
  useProduct(item, 'identity')
  const accounts = chosenAccounts(item, body.options?.account_ids).map((account) => ({
    ...account,
    owners: item.bank.owners(account.account_id),
  }))
  return { accounts, item: itemView(item) }
})

const auth = endpoint('/auth/get', { access_token: accessToken, options: accountOptions }, (world, body) => {
  const item = readableItem(world, body.access_token)
  useProduct(item, 'auth')
  const accounts = chosenAccounts(item, body.options?.account_ids).filter(
    ({ account_id }) => item.bank.numbers(account_id) !== null,
  )
  if (accounts.length === 0) throw failure('NO_AUTH_ACCOUNTS')
  const all = accounts.flatMap(({ account_id }) => item.bank.numbers(account_id) ?? [])
  const list = <Kind extends keyof AccountNumbers>(kind: Kind) => all.map((numbers) => numbers[kind]).filter(isThere)
  const numbers = { ach: list('ach'), eft: list('eft'), international: list('international'), bacs: list('bacs') }
  return { accounts, numbers, item: itemView(item) }
})

function isThere<Value>(value: Value | null): value is Value {
  return value !== null
}

export const identityAuthEndpoints = [identity, auth]
