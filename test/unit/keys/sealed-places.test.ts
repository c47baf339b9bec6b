// Every column that holds sealed values is visited by a rotation of the keys.
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { expect, it } from 'vitest'
import * as accounts from '../../../drizzle/tables/accounts.ts'
import * as events from '../../../drizzle/tables/events.ts'
import * as identity from '../../../drizzle/tables/identity.ts'
import * as investments from '../../../drizzle/tables/investments.ts'
import * as items from '../../../drizzle/tables/items.ts'
import * as liabilities from '../../../drizzle/tables/liabilities.ts'
import * as links from '../../../drizzle/tables/links.ts'
import * as operations from '../../../drizzle/tables/operations.ts'
import * as transactions from '../../../drizzle/tables/transactions.ts'
import * as users from '../../../drizzle/tables/users.ts'
import { sealedPlaces } from '../../../src/custody/rewrap.ts'

it('a rotation of the keys visits every column of the schema that is sealed', () => {
  const modules = [accounts, events, identity, investments, items, liabilities, links, operations, transactions, users]
  const tables = modules.flatMap((module) => Object.values(module).filter((each) => each instanceof PgTable))
  const sealed = tables.flatMap((table) => {
    const { schema, name, columns } = getTableConfig(table)
    return columns
      .filter((column) => column.name.endsWith('_sealed'))
      .map((column) => [schema, name, column.name].filter((part) => part !== undefined).join('.'))
  })
  const visited: Readonly<Record<(typeof sealedPlaces)[number], string>> = {
    items: 'items.access_token_sealed',
    link_exchanges: 'link_exchanges.access_token_sealed',
    plaid_removals: 'plaid_removals.access_token_sealed',
    link_sessions: 'link_sessions.token_sealed',
    webhook_secrets: 'webhook_endpoints.secret_sealed',
    previous_webhook_secrets: 'webhook_endpoints.previous_sealed',
    totp_secrets: 'identity.accounts.totp_secret_sealed',
  }
  expect(sealed.toSorted()).toEqual(sealedPlaces.map((place) => visited[place]).toSorted())
})
