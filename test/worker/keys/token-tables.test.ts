// The three tables that hold access tokens: each value is sealed for the table in which it lies, no statement copies it, and
// values of the version before are moved by a rotation of the keys.
import { describe, expect, it } from 'vitest'
import { createSecret } from '../../../src/crypto/secret.ts'
import type { Keyring } from '../../../src/crypto/keyring.ts'
import { openAccessToken, sealAccessToken, type TokenTable } from '../../../src/custody/access-token.ts'
import { beginRemoval } from '../../../src/db/items/removal.ts'
import { AppError } from '../../../src/errors.ts'
import { queueRemoval, queueUnusableItems } from '../../../src/items/queue-removal.ts'
import { removeAtPlaid } from '../../../src/items/remove-at-plaid.ts'
import { listKeys } from '../../../src/keys/list-keys.ts'
import { startKeyRotation } from '../../../src/keys/rotate-keys.ts'
import { anyAudit } from '../../support/audit.ts'
import { appErrorOf, useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const tables: readonly TokenTable[] = ['items', 'link_exchanges', 'plaid_removals']

async function linked(subject: string) {
  const { id, plaidItemId } = await linkAndSync(world, subject)
  const [row] = await world.sql('select user_id, access_token_sealed from items where id = $1', [id])
  const userId = String(row?.['user_id'])
  const owner = { userId, itemId: id }
  const sealed = String(row?.['access_token_sealed'])
  const token = await openAccessToken(world.services.keyring, sealed, owner)
  return { id, plaidItemId, userId, owner, sealed, token, owned: { id, userId, plaidItemId } }
}
type Linked = Awaited<ReturnType<typeof linked>>

const queued = async ({ plaidItemId }: Linked): Promise<string> => {
  const [row] = await world.sql('select access_token_sealed from plaid_removals where plaid_item_id = $1', [
    plaidItemId,
  ])
  return String(row?.['access_token_sealed'])
}
/** The tables in which the value opens. */
async function opensIn({ owner }: Linked, sealed: string): Promise<TokenTable[]> {
  const opened: TokenTable[] = []
  for (const table of tables)
    try {
      await openAccessToken(world.services.keyring, sealed, owner, table)
      opened.push(table)
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'token_undecryptable')) throw error
    }
  return opened
}

describe('an access token', () => {
  it('opens in the queue of removals and nowhere else, once its item is removed', async () => {
    const item = await linked('one table')
    await queueRemoval(world.job(), item.owned, { keepDays: 30 }, await anyAudit(world))
    const sealed = await queued(item)
    expect(await opensIn(item, sealed)).toEqual(['plaid_removals'])
    const opened = await openAccessToken(world.services.keyring, sealed, item.owner, 'plaid_removals')
    expect(opened.reveal()).toBe(item.token.reveal())
  })

  it('is refused where it was copied between the exchanges and the removals, or into an item', async () => {
    const item = await linked('swapped')
    const { keyring } = world.services
    for (const table of ['link_exchanges', 'plaid_removals'] as const) {
      const sealed = await sealAccessToken(keyring, item.token, item.owner, table)
      expect(await opensIn(item, sealed)).toEqual([table])
    }
    await queueRemoval(world.job(), item.owned, { keepDays: 30 }, await anyAudit(world))
    await world.sql("update items set access_token_sealed = '' where id = $1", [item.id])
    await world.sql('update plaid_removals set access_token_sealed = $2 where plaid_item_id = $1', [
      item.plaidItemId,
      await sealAccessToken(keyring, item.token, item.owner, 'link_exchanges'),
    ])
    await removeAtPlaid(world.job(), item.plaidItemId)
    expect(
      await world.sql('select last_error from plaid_removals where plaid_item_id = $1', [item.plaidItemId]),
    ).toEqual([{ last_error: 'token_undecryptable' }])
  })

  it('removes the item at Plaid also where the version before queued the removal', async () => {
    const item = await linked('of before')
    // As that version did: the ciphertext of the item, copied.
    await world.sql(
      `insert into plaid_removals (user_id, plaid_item_id, item_id, access_token_sealed, reason) values ($1, $2, $3, $4, 'replaced')`,
      [item.userId, item.plaidItemId, crypto.randomUUID(), item.sealed],
    )
    await world.sql('update plaid_removals set item_id = $2 where plaid_item_id = $1', [item.plaidItemId, item.id])
    await world.sql("update items set plaid_item_id = 'another', status = 'removed' where id = $1", [item.id])
    await removeAtPlaid(world.job(), item.plaidItemId)
    expect(await world.sql('select 1 from plaid_removals where plaid_item_id = $1', [item.plaidItemId])).toEqual([])
    await world.sql('delete from items where id = $1', [item.id])
  })
})

describe('a removal whose item gets another token meanwhile', () => {
  it('changes nothing with the token that was read before', async () => {
    const item = await linked('stale')
    const token = { from: 'an earlier value', to: 'moved' }
    const row = await anyAudit(world)
    const { sqlState } = await appErrorOf(beginRemoval(world.services.jobs, item.owned, { keepDays: 30, token }, row))
    expect(sqlState).toBe('WN021')
    expect(await world.sql('select status from items where id = $1', [item.id])).not.toEqual([{ status: 'removing' }])
    expect(await world.sql('select 1 from plaid_removals where plaid_item_id = $1', [item.plaidItemId])).toEqual([])
  })

  it('queues the token that the item has at the end', async () => {
    const item = await linked('rotated meanwhile')
    const { keyring } = world.services
    const newer = createSecret('access-sandbox-newer')
    let rotations = 0
    const rotating: Keyring = {
      ...keyring,
      masterKey: async (id) => {
        if ((rotations += 1) === 1)
          await world.sql('update items set access_token_sealed = $2 where id = $1', [
            item.id,
            await sealAccessToken(keyring, newer, item.owner),
          ])
        return await keyring.masterKey(id)
      },
    }
    const ctx = world.job({ ...world.services, keyring: rotating })
    await queueRemoval(ctx, item.owned, { keepDays: 30 }, await anyAudit(world))
    expect(rotations).toBeGreaterThan(2)
    const opened = await openAccessToken(keyring, await queued(item), item.owner, 'plaid_removals')
    expect(opened.reveal()).toBe('access-sandbox-newer')
  })
})

describe('items whose permission was withdrawn', () => {
  it('are queued with their tokens, and one that no key opens does not hold up the others', async () => {
    const [whole, broken] = [await linked('revoked'), await linked('revoked, unreadable')]
    const foreign = await sealAccessToken(world.services.keyring, broken.token, whole.owner)
    await world.sql('update items set access_token_sealed = $2 where id = $1', [broken.id, foreign])
    await world.sql("update items set status = 'revoked' where id = any($1::uuid[])", [`{${whole.id},${broken.id}}`])
    await queueUnusableItems(world.job())
    expect(await opensIn(whole, await queued(whole))).toEqual(['plaid_removals'])
    expect(await queued(broken)).toBe(foreign)
    expect(
      await world.sql('select purge_at is not null as due from items where id = any($1::uuid[])', [
        `{${whole.id},${broken.id}}`,
      ]),
    ).toEqual([{ due: 't' }, { due: 't' }])
    await removeAtPlaid(world.job(), whole.plaidItemId)
    expect(await world.sql('select 1 from plaid_removals where plaid_item_id = $1', [whole.plaidItemId])).toEqual([])
  })
})

describe('a rotation of the keys', () => {
  it('moves values of the version before to their tables, also under the current key', async () => {
    const item = await linked('older version')
    const { keyring } = world.services
    await world.sql('delete from plaid_removals')
    await world.sql('delete from link_exchanges')
    await world.sql(
      `insert into plaid_removals (user_id, plaid_item_id, item_id, access_token_sealed, reason) values ($1, 'gone', $2, $3, 'removed')`,
      [item.userId, item.id, item.sealed],
    )
    await world.sql(
      `insert into link_exchanges (id, user_id, public_token_digest, state, allow_duplicate, next_attempt_at, access_token_sealed)
       values ($1, $2, 'digest', 'exchanged', false, now() + interval '1 day', $3)`,
      [item.id, item.userId, item.sealed],
    )
    expect(await opensIn(item, item.sealed)).toEqual(tables)
    expect(await listKeys(world.job())).toMatchObject({ remaining: 2 })
    await startKeyRotation(world.job())
    await world.drain()
    expect(await listKeys(world.job())).toMatchObject({ remaining: 0, currentKeyId: keyring.currentKeyId })
    for (const table of ['link_exchanges', 'plaid_removals'] as const) {
      const [row] = await world.sql(`select access_token_sealed as sealed from ${table}`)
      expect(await opensIn(item, String(row?.['sealed']))).toEqual([table])
    }
    const [row] = await world.sql('select access_token_sealed as sealed from items where id = $1', [item.id])
    expect(row?.['sealed']).toBe(item.sealed)
    await world.sql('delete from plaid_removals')
    await world.sql('delete from link_exchanges')
  })
})
