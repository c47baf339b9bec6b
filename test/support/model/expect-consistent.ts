// What must be true when all work is done, for every sequence of commands.
import { expect } from 'vitest'
import * as z from 'zod'
import { listChanges } from '../../../src/db/read/changes.ts'
import type { Transaction } from '../../../src/db/records/transactions.ts'
import { everyTransaction } from '../equality.ts'
import { noteKey, type TrueItem } from './banks.ts'
import type { Chaos, Happened } from './types.ts'
import { followAll, listedAll, type WholeCopy } from '../whole-feed.ts'
import { expectBooks, expectNewestDays } from './expect-books.ts'

const text = (value: unknown): string => String(value)

/** Fails unless the database equals the bank, every edit is at its transaction, and no work was lost or done twice. */
export async function expectConsistent(chaos: Chaos, happened: Happened): Promise<void> {
  const count = (what: string, times: number): void => void happened.set(what, (happened.get(what) ?? 0) + times)
  await expectNothingLeftOver(chaos)
  const banks = await chaos.control.items()
  await expectItems(chaos, banks)
  const compared = new Set<string>()
  for (const subject of chaos.subjects) {
    const rows = await everyTransaction(chaos.world, subject)
    await expectTransactions(chaos, banks, subject, rows)
    expectNotes(chaos, subject, rows)
    if (rows.length > 0) count('compared', rows.length)
    const noted = rows.filter(({ note }) => note !== null).length
    if (noted > 0) count('noted', noted)
    await expectFeed(chaos, subject, rows)
    const listed = await listedAll(chaos.world, subject)
    for (const id of expectBooks(chaos, banks, listed, happened)) compared.add(id)
    await expectCopies(chaos, subject, listed)
  }
  await expectNewestDays(
    chaos,
    banks.filter(({ item_id: id }) => compared.has(id)),
  )
  await expectOnce(chaos)
  const [counts = {}] = await chaos.world.sql(`select
    (select count(*) from items where link_epoch > 0) as relinked, (select count(*) from sync_runs where restarts > 0) as restarted,
    (select count(*) from transactions where note is not null and not pending and pending_transaction_id is not null) as carried`)
  const superseded = chaos.world.lines.filter((line) => line.includes('"outcome":"superseded"')).length
  const found: Readonly<Record<string, unknown>> = { ...counts, superseded }
  for (const [what, times] of Object.entries(found)) if (Number(times) > 0) count(what, Number(times))
}

async function expectNothingLeftOver({ world }: Chaos): Promise<void> {
  expect(await world.sql('select plaid_item_id, reason, last_error from plaid_removals')).toEqual([])
  expect(await world.sql("select id, state from link_exchanges where state in ('started', 'exchanged')")).toEqual([])
  expect(await world.sql("select id from items where status = 'removing'")).toEqual([])
  expect(await world.sql('select run_id from sync_staging union all select run_id from investment_staging')).toEqual([])
  expectNoneForgotten(world.lines)
}

/** An item that was stored here is never reported as an orphan: its removal stays queued until Plaid confirms it. */
function expectNoneForgotten(lines: readonly string[]): void {
  const said = lines.map((line) => z.looseObject({ event: z.string() }).parse(JSON.parse(line)))
  const itemsOf = (...events: string[]) =>
    said.filter(({ event }) => events.includes(event)).map((line) => line['plaid_item_id'])
  const stored = new Set(itemsOf('item_linked', 'item_relinked'))
  expect(itemsOf('item_orphaned').filter((id) => stored.has(id))).toEqual([])
}

/** Plaid holds exactly the items that are stored here and work. */
async function expectItems({ world, doomedTokens }: Chaos, items: readonly TrueItem[]): Promise<void> {
  const rows = await world.sql(
    'select plaid_item_id, status, status_reason from items where removed_at is null order by plaid_item_id',
  )
  const lost = rows.filter(({ status }) => status === 'relink_required')
  for (const row of lost) expect(doomedTokens, `lost ${JSON.stringify(row)}`).toContain(row['plaid_item_id'])
  const here = rows
    .filter(({ status }) => status !== 'relink_required')
    .map((row) => [text(row['plaid_item_id']), row['status'] === 'needs_update' ? 'login_required' : 'good'])
  const atPlaid = items
    .filter(({ status }) => status === 'good' || status === 'login_required')
    .map(({ item_id: id, status }) => [id, status])
  expect(here).toEqual(atPlaid.toSorted(([one = ''], [other = '']) => (one < other ? -1 : 1)))
  const stale =
    await world.sql(`select i.plaid_item_id, p.product, p.status, p.last_error from item_products p join items i on i.id = p.item_id
    where i.removed_at is null and i.status in ('healthy', 'initializing') and p.status <> 'absent' and (p.dirty_seq > p.synced_seq or p.lease_owner is not null)`)
  expect(stale).toEqual([])
}

async function expectTransactions(
  { world, neverShared }: Chaos,
  atBank: readonly TrueItem[],
  subject: string,
  rows: readonly Transaction[],
): Promise<void> {
  const items = await world.sql(
    `select i.plaid_item_id, i.status from items i join users u on u.id = i.user_id where u.subject = $1 and i.removed_at is null`,
    [subject],
  )
  // Only healthy items can be compared: any other item waits for its user.
  const current = new Set(items.filter(({ status }) => status === 'healthy').map((row) => text(row['plaid_item_id'])))
  const truth = atBank
    .filter(({ item_id: id }) => current.has(id))
    .flatMap(({ transactions }) => transactions)
    .map((row) => [row.transaction_id, row.name, row.amount, row.date, row.pending].map(text).join(' | '))
  const ids = await world.sql(
    `select t.id, i.plaid_item_id || ' ' || a.name as account, a.closed from transactions t join items i on i.id = t.item_id
      join accounts a on a.id = t.account_id where i.plaid_item_id = any($1)`,
    [`{${[...current].join(',')}}`],
  )
  // A closed account that the item's new link does not share keeps the history of the earlier link.
  const shown = new Set(
    ids.filter((row) => row['closed'] !== 't' || !neverShared.has(text(row['account']))).map(({ id }) => text(id)),
  )
  const stored = rows
    .filter(({ id }) => shown.has(id))
    .map((row) => [row.plaidTransactionId, row.name, row.amount, row.date, row.pending].map(text).join(' | '))
  expect(stored.toSorted()).toEqual(truth.toSorted())
}

function expectNotes({ notes }: Chaos, subject: string, rows: readonly Transaction[]): void {
  for (const { name, note } of rows) {
    const allowed = notes.get(noteKey(subject, name)) ?? new Set([null])
    expect([...allowed], `the note of ${name}`).toContain(note)
  }
}

/** A client that followed the feed, and one that reads it from the start, both see what the list shows. */
async function expectFeed({ world, followers }: Chaos, subject: string, rows: readonly Transaction[]): Promise<void> {
  const shown = new Map(rows.map((row) => [row.id, row]))
  expect(followers.get(subject)?.seen).toEqual(shown)
  const { identity } = world.user(subject).actor
  const { changes, hasMore } = await listChanges(world.services.api, identity, 0, 10_000)
  expect(hasMore).toBe(false)
  const replayed = new Map(
    changes.flatMap(({ transaction }) => (transaction === null ? [] : [[transaction.id, transaction] as const])),
  )
  expect(replayed).toEqual(shown)
}

/** The same for everything that the API lists. */
async function expectCopies({ world, copies }: Chaos, subject: string, truth: WholeCopy): Promise<void> {
  const followed = copies.get(subject)
  await followed?.catchUp(11)
  expect(followed?.copy).toEqual(truth)
  const fresh = followAll(world, subject)
  await fresh.catchUp(9)
  expect(fresh.copy).toEqual(truth)
}

async function expectOnce({ world }: Chaos): Promise<void> {
  const [row] =
    await world.sql(`select count(*) as numbers, count(distinct (user_id, change_seq)) as different, coalesce(bool_and(counted), true) as counted
    from (select t.user_id, t.change_seq, t.change_seq <= u.change_seq as counted from transactions t join users u on u.id = t.user_id
      union all select d.user_id, d.change_seq, d.change_seq <= u.change_seq from transaction_tombstones d join users u on u.id = d.user_id
      union all select c.user_id, c.seq, c.seq <= u.change_seq from changes c join users u on u.id = c.user_id) numbered`)
  expect(row?.['numbers']).toBe(row?.['different'])
  expect(row?.['counted']).toBe('t')
}
