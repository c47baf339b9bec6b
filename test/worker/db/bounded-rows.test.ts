// The rows that one user can cause are bounded for every table, and rows that still matter are kept.
import { describe, expect, it } from 'vitest'
import { recordDeadLetter } from '../../../src/db/operations/dead-letters.ts'
import { recordEvent } from '../../../src/db/operations/webhook-events.ts'
import { decodeFirstRead } from '../../../src/http/routes/transactions/first-read.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { follow, listed, readChanges } from '../../support/feed.ts'
import { askForLink, linkAndSyncSmallBank, useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const numberOf = async (query: string, params: readonly unknown[] = []) =>
  Number((await world.sql(`select count(*) as n from ${query}`, params))[0]?.['n'])
const userIdOf = async (subject: string) =>
  String((await world.sql('select id from users where subject = $1', [subject]))[0]?.['id'])

describe('removals in the change feed', () => {
  it('are the newest 50,000 of a user, and a client that has not read the others begins again', async () => {
    const subject = 'many removals'
    const item = await linkAndSyncSmallBank(world, subject)
    const userId = await userIdOf(subject)
    await world.sql('update users set change_seq = 60000 where id = $1', [userId])
    await world.sql(
      `insert into transaction_tombstones (user_id, change_seq, transaction_id)
        select $1, n, gen_random_uuid() from generate_series(1001, 52000) n`,
      [userId],
    )
    await removeItem(world.user(subject), item.id, { purge: true })
    expect(await numberOf('transaction_tombstones where user_id = $1', [userId])).toBe(50_000)
    const [row] = await world.sql('select changes_from from users where id = $1', [userId])
    const completeFrom = Number(row?.['changes_from'])
    expect(completeFrom).toBeGreaterThan(1001)
    await expect(readChanges(world, subject, completeFrom - 1)).rejects.toMatchObject({
      code: 'feed_expired',
      fields: [{ pointer: 'since' }],
    })
    expect((await readChanges(world, subject, completeFrom, 1)).data[0]?.seq).toBe(completeFrom + 1)
    await linkAndSyncSmallBank(world, subject)
    await world.sql(
      `update transactions t set change_seq = n.place
        from (select id, row_number() over (order by id) as place from transactions where user_id = $1) n where n.id = t.id`,
      [userId],
    )
    const reader = follow(world, subject)
    expect(decodeFirstRead((await reader.step(1)).next_since).readTo).toBe(1)
    await reader.catchUp(500)
    expect(reader.copy).toEqual(await listed(world, subject))
    expect((await reader.step()).next_since).toBeGreaterThanOrEqual(completeFrom)
  })

  it('stay for other users', async () => {
    const [one, other] = ['purges', 'purges nothing']
    const item = await linkAndSyncSmallBank(world, one)
    await linkAndSyncSmallBank(world, other)
    const userId = await userIdOf(other)
    await world.sql('insert into transaction_tombstones (user_id, change_seq, transaction_id) values ($1, 0, $1)', [
      userId,
    ])
    await removeItem(world.user(one), item.id, { purge: true })
    expect(await numberOf('transaction_tombstones where user_id = $1', [userId])).toBe(1)
    expect(await readChanges(world, one, 1)).toMatchObject({ has_more: false })
  })
})

describe('link tokens and exchanges that have ended', () => {
  it('are the newest thousand of a user, and those of the last day', async () => {
    const subject = 'many links'
    await askForLink(world, subject)
    const userId = await userIdOf(subject)
    await world.sql(
      `insert into link_sessions (user_id, token_digest, created_at, expires_at)
        select $1, 'old ' || n, now() - interval '2 days' - n * interval '1 second', now() - interval '1 day' from generate_series(1, 1200) n`,
      [userId],
    )
    await world.sql(
      `insert into link_exchanges (id, user_id, public_token_digest, state, allow_duplicate, created_at, next_attempt_at)
        select gen_random_uuid(), $1, 'old ' || n, case when n > 1199 then 'started' else 'refused' end, false,
          now() - interval '2 days' - n * interval '1 second', now() + interval '1 day' from generate_series(1, 1200) n`,
      [userId],
    )
    await world.sql(
      `insert into link_exchanges (id, user_id, public_token_digest, state, allow_duplicate, next_attempt_at)
        select gen_random_uuid(), $1, 'new ' || n, 'refused', false, now() from generate_series(1, 3) n`,
      [userId],
    )
    await askForLink(world, subject)
    expect(await numberOf('link_sessions where user_id = $1', [userId])).toBe(1002)
    expect(await numberOf("link_sessions where user_id = $1 and token_digest = 'old 1000'", [userId])).toBe(1)
    expect(await numberOf('link_exchanges where user_id = $1', [userId])).toBe(1004)
    expect(await numberOf("link_exchanges where user_id = $1 and state = 'started'", [userId])).toBe(1)
  })
})

describe('webhooks about an item', () => {
  it('are the newest thousand, and those of the last hour', async () => {
    const item = await linkAndSyncSmallBank(world, 'many webhooks')
    await world.sql(
      `insert into webhook_events (replay_key, scheme, webhook_type, webhook_code, plaid_item_id, payload, received_at)
        select 'old ' || n, 'jwt', 'ITEM', 'ERROR', $1, '{}', now() - interval '1 day' - n * interval '1 second' from generate_series(1, 1200) n`,
      [item.plaidItemId],
    )
    const looks = await world.sql(
      "select 'key ' || n as key from generate_series(1, 1000) n where hashtext('key ' || n) % 32 = 0 limit 1",
    )
    const event = {
      scheme: 'jwt',
      type: 'ITEM',
      code: 'ERROR',
      plaidItemId: item.plaidItemId,
      linkTokenDigest: null,
      payload: {},
    } as const
    await recordEvent(world.services.jobs, { ...event, replayKey: String(looks[0]?.['key']) }, [], {})
    expect(
      await numberOf("webhook_events where plaid_item_id = $1 and received_at < now() - interval '1 hour'", [
        item.plaidItemId,
      ]),
    ).toBe(1000)
    expect(await numberOf("webhook_events where replay_key = 'old 1000'")).toBe(1)
  })
})

describe('dead letters', () => {
  it('are ten with the same content', async () => {
    const letter = (messageId: string, itemProductId: string) => ({
      queue: 'wealthnavigator-sync-dead',
      messageId,
      itemProductId,
      reason: 'retries_exhausted',
      payload: { item_product_id: itemProductId, reason: 'user' },
    })
    const [one, other] = [crypto.randomUUID(), crypto.randomUUID()]
    for (let message = 0; message < 15; message += 1)
      await recordDeadLetter(world.services.jobs, letter(`${one} ${message}`, one))
    await recordDeadLetter(world.services.jobs, letter(`${other} 0`, other))
    expect(await numberOf('dead_letters where item_product_id = $1', [one])).toBe(10)
    expect(await numberOf('dead_letters where item_product_id = $1', [other])).toBe(1)
  })
})
