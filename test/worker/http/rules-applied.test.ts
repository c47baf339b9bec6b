// What an application of the rules to stored transactions changes: each row once, in the change feed, with a row in the audit
// trail; for any number of transactions, and next to other writers.
import { describe, expect, it } from 'vitest'
import { allowWatching } from '../../../src/db/operations/live.ts'
import { changeRule, removeRule, setOrder } from '../../../src/rules/manage-rules.ts'
import { applyRulesRoute } from '../../../src/http/routes/rules.ts'
import { createTickets } from '../../../src/live/ticket.ts'
import { ask } from '../../support/call-route.ts'
import { everyTransaction } from '../../support/equality.ts'
import { follow } from '../../support/feed.ts'
import { codeOf, linkAndSyncSmallBank, useWorld } from '../../support/item-lifecycle.ts'
import { followAll, listedAll } from '../../support/whole-feed.ts'
import type { World } from '../../support/world.ts'
import { ruling } from './ruling.ts'

let world: World
useWorld((made) => {
  world = made
})
const { user, create, remove, preview, step, apply, edit, add, numberOf } = ruling(() => world)

const all = { min_amount: '-1000000000' }
const trailOf = async (subject: string) =>
  (
    await world.sql(
      `select l.action, l.target_kind, l.target_id from audit_log l join audit_people p on p.audit_id = l.id
        where p.part = 'owner' and p.person = '20:wealthnavigator-edge' || $1 and l.action like 'rule%' order by l.at, l.id`,
      [subject],
    )
  ).map((row) => [row['action'], row['target_kind'], row['target_id']])

describe('the application of the rules', () => {
  it('gives each changed row one number, and others none; a second one changes nothing', async () => {
    const subject = 'numbers'
    const item = await linkAndSyncSmallBank(world, subject)
    const [feed, whole] = [follow(world, subject), followAll(world, subject)]
    await feed.catchUp()
    await whole.catchUp()
    await create(subject, { contains: 'everyday', user_category: 'Ours', hidden: true })
    const before = await numberOf(subject)
    expect(await apply(subject)).toEqual({ checked: 6, changed: 4, steps: 1 })
    expect(await numberOf(subject)).toBe(before + 4)
    expect(await apply(subject)).toEqual({ checked: 6, changed: 0, steps: 1 })
    expect(await numberOf(subject)).toBe(before + 4)
    const [numbers] = await world.sql(
      'select count(*) as rows, count(distinct change_seq) as numbers from transactions where item_id = $1',
      [item.id],
    )
    expect(numbers?.['numbers']).toBe(numbers?.['rows'])
    await feed.catchUp()
    expect([...feed.copy.values()].filter((row) => row['user_category'] === 'Ours')).toHaveLength(4)
    const changed = (await whole.step()).data
    expect(changed.map(({ kind }) => kind)).toEqual(Array.from({ length: 4 }, () => 'transaction'))
    expect(whole.copy).toEqual(await listedAll(world, subject))
  })

  it('leaves the numbers of a commit as they are: each row with values of rules has one', async () => {
    const item = await linkAndSyncSmallBank(world, 'commit')
    await create('commit', { ...all, user_category: 'Ours' })
    const before = await numberOf('commit')
    await add('commit', item, [
      { name: 'one', amount: 1 },
      { name: 'two', amount: 2 },
    ])
    const [taken] = await world.sql(
      `select count(*) as all, count(distinct n) as different, count(*) filter (where is_transaction) as transactions from (
        select change_seq as n, true as is_transaction from transactions where item_id = $1
        union all select c.seq, false from changes c join items i on i.user_id = c.user_id where i.id = $1) numbers
        where n > $2`,
      [item.id, before],
    )
    expect(taken?.['transactions']).toBe('2')
    expect(taken?.['all']).toBe(taken?.['different'])
  })

  it('is an event for receivers, as an edit of the user is', async () => {
    const item = await linkAndSyncSmallBank(world, 'events')
    const [owner] = await world.sql("select id from users where subject = 'events'")
    await world.sql(
      `insert into webhook_endpoints (id, user_id, url, secret_sealed, state) values (gen_random_uuid(), $1, 'https://a.test', '', 'enabled')`,
      [owner?.['id']],
    )
    await create('events', { contains: 'everyday', user_category: 'Ours' })
    const since = await numberOf('events')
    await apply('events')
    await apply('events')
    const events = await world.sql('select type, item_id, data from webhook_deliveries where user_id = $1', [
      owner?.['id'],
    ])
    expect(events).toEqual([{ type: 'transactions.changed', item_id: item.id, data: expect.anything() }])
    expect(JSON.parse(String(events[0]?.['data']))).toEqual({
      since,
      next_since: since + 4,
      upserted: 4,
      removed: 0,
    })
  })

  it('is announced to live sockets if it changed anything', async () => {
    await linkAndSyncSmallBank(world, 'live')
    const announced: number[] = []
    const live = {
      tickets: createTickets(new Uint8Array(32), null, () => crypto.randomUUID()),
      open: () => Promise.reject(new Error('not here')),
      notify: (_: string, { seq }: { readonly seq: number }) => {
        announced.push(seq)
        return Promise.resolve()
      },
      close: () => Promise.resolve(),
    }
    const identity = { ...user('live').actor.identity, issuedAt: new Date() }
    await allowWatching(world.services.api, identity, new Date(Date.now() + 60_000))
    await create('live', { ...all, hidden: true })
    const watching = { ...user('live'), services: { ...world.services, live } }
    await ask(watching, applyRulesRoute, { body: {} })
    await ask(watching, applyRulesRoute, { body: {} })
    expect(announced).toEqual([await numberOf('live')])
  })

  it('changes each row once when it runs twice at the same time', async () => {
    await linkAndSyncSmallBank(world, 'twice')
    await create('twice', { ...all, user_category: 'Ours' })
    const before = await numberOf('twice')
    const results = await Promise.all(Array.from({ length: 4 }, async () => await apply('twice')))
    expect(results.map(({ changed }) => changed).toSorted((one, other) => one - other)).toEqual([0, 0, 0, 6])
    expect(await numberOf('twice')).toBe(before + 6)
  })

  it('never overwrites an edit that is made at the same time', async () => {
    await linkAndSyncSmallBank(world, 'beside')
    await create('beside', { ...all, user_category: 'Ours' })
    const rows = await everyTransaction(world, 'beside')
    await Promise.all([
      ...rows.map(async ({ id }) => await edit('beside', id, { user_category: 'Mine' })),
      ...Array.from({ length: 3 }, async () => await apply('beside')),
    ])
    const after = await everyTransaction(world, 'beside')
    expect(after.map(({ userCategory, categoryRuleId }) => [userCategory, categoryRuleId])).toEqual(
      rows.map(() => ['Mine', null]),
    )
  })

  it('goes through 100,000 transactions in steps, with 100 rules', { timeout: 180_000 }, async () => {
    const subject = 'many'
    const item = await linkAndSyncSmallBank(world, subject)
    await world.sql(
      `insert into transactions (user_id, item_id, account_id, plaid_transaction_id, date, amount, name, pending, change_seq)
        select a.user_id, a.item_id, a.id, 'many-' || n, current_date - n / 300, n % 97, 'Purchase number ' || n, false, 1000000 + n
        from (select * from accounts where item_id = $1 limit 1) a, generate_series(1, 100000) n`,
      [item.id],
    )
    await world.sql("update users set change_seq = 2000000 where subject = 'many'")
    await world.sql(
      `insert into rules (user_id, position, contains, user_category) select id, n, 'no such text ' || n, 'None'
        from users, generate_series(1, 98) n where subject = 'many'`,
    )
    await create(subject, { contains: 'NUMBER 1', user_category: 'Ours' })
    const first = await step(subject)
    expect(first).toMatchObject({ checked: 5000, next_cursor: expect.any(String) })
    const rest = await apply(subject)
    expect(rest.checked).toBe(100_006)
    expect(rest.steps).toBe(21)
    const matching = 1 + 10 + 100 + 1000 + 10_000 + 1
    expect(first.changed + rest.changed).toBe(matching)
    expect(await numberOf(subject)).toBe(2_000_001 + matching)
    const shown = await preview(subject, { ...all, hidden: true })
    expect(shown).toMatchObject({ checked: 20_000, matched: 20_000, changed: 20_000 })
    expect(shown.data).toHaveLength(50)
  })

  it('is previewed for a rule in place of another one: what that rule gave and this one does not is taken back', async () => {
    const subject = 'replaced'
    await linkAndSyncSmallBank(world, subject)
    const id = await create(subject, { contains: 'everyday', user_category: 'Ours', hidden: true })
    await apply(subject)
    const shown = await preview(subject, { contains: 'everyday', user_category: 'Ours', hidden: false, replaces: id })
    expect(shown).toMatchObject({ matched: 4, changed: 4 })
    const narrow = await preview(subject, {
      contains: 'no such text',
      user_category: 'Ours',
      hidden: true,
      replaces: id,
    })
    expect(narrow).toMatchObject({ matched: 0, changed: 4 })
    expect(narrow.data).toHaveLength(4)
    const same = await preview(subject, { contains: 'everyday', user_category: 'Ours', hidden: true, replaces: id })
    expect(same).toMatchObject({ matched: 4, changed: 0 })
  })

  it('refuses a cursor of another list', async () => {
    expect(await codeOf(step('cursors', 'nothing'))).toBe('invalid_cursor')
  })
})

describe('the audit trail', () => {
  it('has a row for each change of the rules and each application that changes something, and none otherwise', async () => {
    const subject = 'audited'
    await linkAndSyncSmallBank(world, subject)
    const [one, two] = [
      await create(subject, { contains: 'everyday', user_category: 'Ours' }),
      await create(subject, { contains: 'nest', hidden: true }),
    ]
    const content = {
      contains: 'x',
      minAmount: null,
      maxAmount: null,
      accountId: null,
      userCategory: null,
      hidden: true,
    }
    await preview(subject, { contains: 'x', hidden: true })
    await setOrder(user(subject), [two, one])
    await apply(subject)
    await apply(subject)
    await changeRule(user(subject), one, content)
    await remove(subject, two)
    const foreign = crypto.randomUUID()
    expect(await codeOf(removeRule(user(subject), foreign))).toBe('not_found')
    expect(await codeOf(changeRule(user(subject), foreign, content))).toBe('not_found')
    expect(await codeOf(setOrder(user(subject), [foreign]))).toBe('validation_failed')
    expect(await codeOf(create(subject, { account_id: foreign, hidden: true }))).toBe('validation_failed')
    expect(await trailOf(subject)).toEqual([
      ['rule_created', 'rule', one],
      ['rule_created', 'rule', two],
      ['rules_ordered', 'rule', null],
      ['rules_applied', 'rule', null],
      ['rule_changed', 'rule', one],
      ['rule_deleted', 'rule', two],
    ])
  })
})
