// Every column that holds sealed values is visited by a rotation of the keys.
import { getTableConfig } from 'drizzle-orm/pg-core'
import { expect, it } from 'vitest'
import { sealedPlaces } from '../../../src/custody/rewrap.ts'
import { schemaTables } from '../../support/schema-tables.ts'

it('a rotation of the keys visits every column of the schema that is sealed', async () => {
  const sealed = (await schemaTables()).flatMap((table) => {
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
