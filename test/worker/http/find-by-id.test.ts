// An administrator finds what an id names, and reads what happened to an item in one list: ids, states, times and counts, and
// never a token, an amount or a name.
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Ctx, User } from '../../../src/context.ts'
import { getAnyItemRoute, timelineRoute } from '../../../src/http/routes/admin/timeline.ts'
import { searchRoute } from '../../../src/http/routes/admin/search.ts'
import { markRepaired } from '../../../src/items/repair-item.ts'
import { createLinkToken } from '../../../src/link/create-link-token.ts'
import { recordDeadLetter } from '../../../src/db/operations/dead-letters.ts'
import { recordEvent } from '../../../src/db/operations/webhook-events.ts'
import { ask, operatorOf } from '../../support/call-route.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync, nextDelivery, settle } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const entry = z.object({
  id: z.string(),
  kind: z.string(),
  at: z.string(),
  what: z.string(),
  error_code: z.string().nullable(),
  plaid_request_ids: z.array(z.string()),
  request_id: z.string().nullable(),
  raw: z.record(z.string(), z.unknown()),
})
const timelineSchema = z.object({ data: z.array(entry), next_cursor: z.string().nullable() })
const foundSchema = z.object({
  data: z.array(
    z.object({ kind: z.string(), id: z.string(), item_id: z.string().nullable(), user_id: z.string().nullable() }),
  ),
})

const operator = (): Ctx<User> => operatorOf(world)

const timeline = async (id: string, query: Record<string, string> = {}) =>
  timelineSchema.parse(await ask(operator(), timelineRoute, { params: { id }, query }))

/** Rows of the trail about reads of the route, in the trail of users whose subject ends so. */
async function reads(route: string, owner: string): Promise<number> {
  const [row] = await world.sql(
    `select count(*) as n from audit_log l left join audit_people p on p.audit_id = l.id and p.part = 'owner'
      where l.action = 'admin_read' and l.target_id = $1 and coalesce(p.person, '') like '%' || $2`,
    [route, owner],
  )
  return Number(row?.['n'])
}
const search = async (id: string) => foundSchema.parse(await ask(operator(), searchRoute, { body: { id } })).data

/** Ids of the subject's rows, by SQL. */
async function idOf(sql: string, params: readonly unknown[]): Promise<string> {
  const [row] = await world.sql(sql, params)
  return z.string().parse(row?.['id'])
}

const linkInput = {
  redirectUri: null,
  products: null,
  hosted: true,
  accountSelection: false,
  language: null,
  countryCodes: null,
}

describe('the timeline of an item', () => {
  it('has the exchange, the runs, the webhook of a broken login, the Link session and the repair, newest first', async () => {
    const item = await linkAndSync(world, 'timeline')
    await world.bank.change(item.plaidItemId, { login_required: true })
    await world.sql('update item_products set dirty_seq = dirty_seq + 1 where item_id = $1', [item.id])
    await settle(world)
    const user = world.user('timeline')
    await createLinkToken(user, { ...linkInput, itemId: item.id })
    await world.bank.change(item.plaidItemId, { login_repaired: true })
    await markRepaired(user, item.id)
    await world.drain()
    const { data } = await timeline(item.id, { limit: '500' })
    expect(data.map(({ at }) => at)).toEqual(
      data
        .map(({ at }) => at)
        .toSorted()
        .toReversed(),
    )
    expect(new Set(data.map(({ id }) => id)).size).toBe(data.length)
    const kinds = data.map(({ kind, what }) => `${kind} ${what}`)
    for (const expected of [
      'webhook ITEM ERROR',
      'link_session open',
      'exchange linked',
      'change item_linked',
      'change item_repaired',
    ])
      expect(kinds).toContain(expected)
    expect(data.find(({ what }) => what === 'ITEM ERROR')).toMatchObject({
      error_code: 'ITEM_LOGIN_REQUIRED',
      raw: { webhook_code: 'ERROR', error: { error_code: 'ITEM_LOGIN_REQUIRED' } },
    })
    const runs = data.filter(({ kind }) => kind === 'sync_run')
    expect(runs.some(({ what }) => what === 'committed')).toBe(true)
    expect(runs.every(({ plaid_request_ids }) => plaid_request_ids.length > 0)).toBe(true)
    expect(data.filter(({ kind }) => kind === 'change').every(({ request_id }) => request_id !== null)).toBe(true)
  })

  it('has every entry once over all pages, also with several at the same time', async () => {
    const item = await linkAndSync(world, 'pages of a timeline')
    const product = await idOf('select id from item_products where item_id = $1 limit 1', [item.id])
    await recordDeadLetter(world.services.jobs, {
      queue: 'wealthnavigator-sync-dead',
      messageId: `timeline ${item.id}`,
      itemProductId: product,
      reason: 'retries_exhausted',
      payload: { item_product_id: product },
    })
    await world.sql("update sync_runs set started_at = '2026-01-01T00:00:00.5Z' where item_id = $1", [item.id])
    await world.sql("update link_exchanges set created_at = '2026-01-01T00:00:00.5Z' where item_id = $1", [item.id])
    const whole = (await timeline(item.id, { limit: '500' })).data
    expect(whole.map(({ kind }) => kind)).toContain('dead_letter')
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await timeline(item.id, { limit: '2', ...(cursor === '' ? {} : { cursor }) })
      expect(page.data.length).toBeLessThanOrEqual(2)
      seen.push(...page.data.map(({ id }) => id))
      cursor = page.next_cursor
    }
    expect(seen).toEqual(whole.map(({ id }) => id))
    const runs = await timeline(item.id, { kind: 'sync_run' })
    expect(new Set(runs.data.map(({ kind }) => kind))).toEqual(new Set(['sync_run']))
  })

  it('has each change of the status: from what, to what, why, what caused it, and Plaid’s request ids', async () => {
    const item = await linkAndSync(world, 'changing')
    await world.bank.change(item.plaidItemId, { login_required: true, silent: true })
    await world.sql('update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where item_id = $1', [
      item.id,
    ])
    const products = await world.sql("select id from item_products where item_id = $1 and product = 'item'", [item.id])
    await world.consume(products.map(({ id }) => ({ item_product_id: String(id), reason: 'user' })))
    const { data } = await timeline(item.id, { kind: 'status' })
    const [broken, healthy] = data
    expect(broken).toMatchObject({
      what: 'needs_update',
      error_code: 'ITEM_LOGIN_REQUIRED',
      raw: { from: 'healthy', from_reason: null, to: 'needs_update', cause: { kind: 'sync_run' } },
    })
    expect(healthy).toMatchObject({ what: 'healthy', raw: { from: 'initializing' } })
    const runs = (await timeline(item.id, { kind: 'sync_run' })).data
    const cause = z.object({ cause: z.object({ id: z.string() }) }).parse(broken?.raw).cause
    const run = runs.find(({ id }) => id === cause.id)
    expect(run?.plaid_request_ids.length).toBeGreaterThan(0)
    expect(broken?.plaid_request_ids).toEqual(run?.plaid_request_ids.slice(-5))

    await world.bank.change(item.plaidItemId, { pending_disconnect: true })
    await world.deliver(await nextDelivery(world, item, 'PENDING_DISCONNECT'))
    const [announced] = (await timeline(item.id, { kind: 'status' })).data
    const [received] = (await timeline(item.id, { kind: 'webhook' })).data
    expect(announced).toMatchObject({
      what: 'pending_disconnect',
      raw: { from: 'needs_update', cause: { kind: 'webhook', id: received?.id } },
    })
  })

  it('has the last fifty changes of the status at most', async () => {
    const item = await linkAndSync(world, 'flapping')
    for (let change = 0; change < 30; change += 1)
      for (const status of ['institution_down', 'healthy'])
        await world.sql('update items set status = $2 where id = $1', [item.id, status])
    await world.sql('update items set updated_at = now() where id = $1', [item.id])
    const { data } = await timeline(item.id, { kind: 'status' })
    expect(data).toHaveLength(50)
    expect(data.map(({ what }) => what).slice(0, 3)).toEqual(['healthy', 'institution_down', 'healthy'])
    expect(new Set(data.map(({ id }) => id)).size).toBe(50)
    expect(data.every(({ raw }) => raw['cause'] === null)).toBe(true)
  })

  it('shows of a webhook only codes, ids, counts, flags and times', async () => {
    const item = await linkAndSync(world, 'odd webhook')
    await recordEvent(
      world.services.jobs,
      {
        replayKey: `odd ${item.id}`,
        scheme: 'hmac',
        type: 'ITEM',
        code: 'ODD',
        plaidItemId: item.plaidItemId,
        linkTokenDigest: null,
        payload: {
          webhook_code: 'ODD',
          new_transactions: 3,
          owner: 'Name Of A Person',
          amount: 123.45,
          reason: { text: 'Name Of A Person' },
          error: { error_code: 'X', error_message: 'Name Of A Person' },
        },
      },
      [],
      {},
    )
    const [odd] = (await timeline(item.id, { kind: 'webhook' })).data
    expect(odd).toMatchObject({
      what: 'ITEM ODD',
      raw: { members: { webhook_code: 'ODD', new_transactions: 3 }, error: { error_code: 'X' } },
    })
    expect(JSON.stringify(odd)).not.toMatch(/Name Of A Person|123/)
  })

  it('has no entry of another item, and no amount or name of an account', async () => {
    const item = await linkAndSync(world, 'own timeline')
    const other = await linkAndSync(world, 'other timeline')
    const text = JSON.stringify((await timeline(item.id, { limit: '500' })).data)
    expect(text).toContain(item.plaidItemId)
    expect(text).not.toContain(other.plaidItemId)
    for (const { name, balance } of await world.sql(
      'select name, trim_scale(current_balance)::text as balance from accounts where item_id = $1',
      [item.id],
    )) {
      expect(text).not.toContain(String(name))
      expect(text).not.toContain(`:${String(balance)},`)
    }
  })

  it('gets 404 for an unknown item', async () => {
    const params = { id: crypto.randomUUID() }
    for (const route of [timelineRoute, getAnyItemRoute])
      await expect(ask(operator(), route, { params })).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('the search', () => {
  it('finds the item by every id of it and of what belongs to it', async () => {
    const item = await linkAndSync(world, 'found')
    const of = async (table: string, column: string): Promise<string> =>
      await idOf(`select ${column} as id from ${table} where item_id = $1 limit 1`, [item.id])
    const expected: Record<string, string> = {
      [item.id]: 'item',
      [item.plaidItemId]: 'item',
      [` ${item.plaidItemId}\u0020`]: 'item',
      [item.id.toUpperCase()]: 'item',
      [await of('item_products', 'id')]: 'item_product',
      [await of('accounts', 'id')]: 'account',
      [await of('accounts', 'plaid_account_id')]: 'account',
      [await of('transactions', 'id')]: 'transaction',
      [await of('transactions', 'plaid_transaction_id')]: 'transaction',
      [await of('sync_runs', 'id')]: 'sync_run',
      [await of('sync_runs', 'plaid_request_ids[1]')]: 'sync_run',
      [await of('link_exchanges', 'id')]: 'exchange',
    }
    for (const [id, kind] of Object.entries(expected))
      expect({ id, found: await search(id) }).toEqual({
        id,
        found: expect.arrayContaining([expect.objectContaining({ kind, item_id: item.id })]),
      })
  })

  it('finds the Link session of a link token and the exchange of a public token, and neither stores nor logs the token', async () => {
    const user = world.user('tokens')
    const { linkToken } = await createLinkToken(user, { ...linkInput, itemId: null })
    const sessionId = await idOf(
      'select s.id from link_sessions s join users u on u.id = s.user_id where u.subject = $1',
      ['tokens'],
    )
    world.lines.length = 0
    expect(await search(linkToken)).toMatchObject([{ kind: 'link_session', id: sessionId }])
    expect(await search(sessionId)).toMatchObject([{ kind: 'link_session', id: sessionId }])
    expect(await search(linkToken.slice(0, -1))).toEqual([])
    expect(world.lines.join('\n')).not.toContain(linkToken)
    const [row] = await world.sql(
      "select count(*) as n from audit_log where to_jsonb(audit_log)::text like '%' || $1 || '%'",
      [linkToken],
    )
    expect(row).toEqual({ n: '0' })
  })

  it('finds the audit rows of a request', async () => {
    const item = await linkAndSync(world, 'requested')
    const requestId = await idOf('select request_id as id from audit_log where target_id = $1 limit 1', [item.id])
    const found = await search(requestId)
    expect(found.length).toBeGreaterThan(0)
    expect(found.every(({ kind }) => kind === 'audit_row')).toBe(true)
  })

  it('finds nothing for a part of an id, a pattern or an unknown one', async () => {
    const item = await linkAndSync(world, 'exact')
    for (const id of [
      item.plaidItemId.slice(0, -1),
      `${item.plaidItemId.slice(0, 8)}%`,
      crypto.randomUUID(),
      "' or true --",
    ])
      expect(await search(id)).toEqual([])
  })

  it.each(['access-sandbox-0', 'secret-0', 'eyJ0', 'wn_live_0', 'whsec_0'])('refuses the secret %s', async (id) => {
    await expect(search(id)).rejects.toMatchObject({
      code: 'validation_failed',
      fields: [{ detail: 'Must not be a secret.' }],
    })
  })

  it('is in the trail of the administrator’s reads, and of each user whom it found', async () => {
    const item = await linkAndSync(world, 'searched')
    const [all, own] = [await reads('adminSearch', ''), await reads('adminSearch', 'searched')]
    await search(item.id)
    await search(crypto.randomUUID())
    expect([await reads('adminSearch', ''), await reads('adminSearch', 'searched')]).toEqual([all + 2, own + 1])
  })

  it('is in the trail of the user whose item an administrator reads, with its timeline', async () => {
    const item = await linkAndSync(world, 'looked at')
    await timeline(item.id)
    await ask(operator(), getAnyItemRoute, { params: { id: item.id } })
    expect([await reads('adminListItemTimeline', 'looked at'), await reads('adminGetItem', 'looked at')]).toEqual([
      1, 1,
    ])
  })
})
