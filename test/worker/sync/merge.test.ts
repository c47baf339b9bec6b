// What the database makes of incoming transactions, also of odd ones.
import { describe, expect, it } from 'vitest'
import { editTransaction } from '../../../src/db/records/transactions.ts'
import type { PlaidFailure } from '../../../src/plaid/errors.ts'
import { everyTransaction, expectTruth } from '../../support/equality.ts'
import { linkAndSync } from '../../support/linked.ts'
import { type OddAnswers, oddAnswers } from '../../support/odd-answers.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})

const mutation: PlaidFailure = {
  class: 'restart',
  errorType: 'TRANSACTIONS_ERROR',
  errorCode: 'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION',
  status: 400,
  requestId: null,
  retryAfterSeconds: null,
}

describe('transactions', () => {
  it('have the last version when one is sent several times', async () => {
    const item = await linkAndSync(world, 'several times')
    const { added } = await world.bank.change(item.plaidItemId, { add: 3, silent: true })
    const answers = odd.withPages((page) => {
      const [first, second] = page.added
      if (first === undefined || second === undefined) throw new Error('no news')
      return {
        ...page,
        added: [
          { ...first, name: 'as it was', amount: '1' },
          ...page.added.slice(1),
          { ...first, transaction_id: 'gone' },
        ],
        modified: [{ ...second, name: 'in between' }, first, second],
        removed: [{ transaction_id: 'gone' }, { transaction_id: 'never heard of' }],
      }
    })
    await odd.sync(item, 'transactions', answers)
    const stored = await expectTruth(world, 'several times', item.plaidItemId)
    expect(stored.map(({ plaidTransactionId }) => plaidTransactionId)).toEqual(expect.arrayContaining(added))
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'committed', upserted: '3', removed: '0' })
  })

  it('are stored when they are modified without having been added', async () => {
    const item = await linkAndSync(world, 'modified')
    await world.bank.change(item.plaidItemId, { add: 2, silent: true })
    await odd.sync(
      item,
      'transactions',
      odd.withPages((page) => ({ ...page, added: [], modified: [...page.added, ...page.modified] })),
    )
    await expectTruth(world, 'modified', item.plaidItemId)
    expect(await odd.lastRun(item)).toMatchObject({ upserted: '2' })
  })

  it('are set aside for an unknown account, and the others arrive', async () => {
    const item = await linkAndSync(world, 'no account')
    const before = await everyTransaction(world, 'no account')
    const cursor = () =>
      world.sql("select cursor from item_products where item_id = $1 and product = 'transactions'", [item.id])
    const stored = await cursor()
    await world.bank.change(item.plaidItemId, { add: 2, modify: 1, silent: true })
    await odd.sync(
      item,
      'transactions',
      odd.withPages((page) => ({
        ...page,
        added: page.added.map((row, index) => (index === 0 ? { ...row, account_id: 'unknown' } : row)),
      })),
    )
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'committed', error_code: 'ROWS_SET_ASIDE', upserted: '2' })
    expect(await everyTransaction(world, 'no account')).toHaveLength(before.length + 1)
    expect(await cursor()).not.toEqual(stored)
    await odd.forgetCursor(item)
    await odd.sync(item, 'transactions')
    await expectTruth(world, 'no account', item.plaidItemId)
  })

  it('are removed when everything is read again and the institution no longer has them, without a removal', async () => {
    const item = await linkAndSync(world, 'again')
    await world.bank.change(item.plaidItemId, { remove: 3, add: 1, silent: true })
    await odd.forgetCursor(item)
    await odd.sync(item, 'transactions')
    await expectTruth(world, 'again', item.plaidItemId)
    expect(await odd.lastRun(item)).toMatchObject({ upserted: '1', removed: '3' })
  })

  it('leave no rows of pages that a restart discarded', async () => {
    const item = await linkAndSync(world, 'thrown away')
    await world.bank.change(item.plaidItemId, { add: 700, silent: true })
    await odd.forgetCursor(item)
    let pages = 0
    await odd.sync(
      item,
      'transactions',
      odd.withPlaid({
        async syncTransactions(...args) {
          const answer = await world.services.plaid.syncTransactions(...args)
          pages += 1
          // The bank removes transactions of the first page. A full read never reports them as removed.
          if (pages === 1 && answer.ok)
            await world.bank.change(item.plaidItemId, {
              remove: answer.value.added.slice(0, 2).map((row) => row.transaction_id),
              silent: true,
            })
          return answer
        },
      }),
    )
    expect(pages).toBeGreaterThan(3)
    await expectTruth(world, 'thrown away', item.plaidItemId)
  })

  /**
   * Services whose first page has more rows than the Worker holds in memory. A `second` that is not null replaces the
   * second page.
   */
  function manyAtOnce(second: PlaidFailure | null) {
    let pages = 0
    const services = odd.withPlaid({
      async syncTransactions(...args) {
        pages += 1
        if (pages === 2 && second !== null) return { ok: false, failure: second }
        const answer = await world.services.plaid.syncTransactions(...args)
        const row = answer.ok ? answer.value.added[0] : undefined
        if (!answer.ok || row === undefined || pages > 2) return answer
        const added = Array.from({ length: 5001 }, (_, index) => ({ ...row, transaction_id: `ghost ${index}` }))
        return { ...answer, value: { ...answer.value, added, has_more: true } }
      },
    })
    return { services, pages: () => pages }
  }
  const staged = () => world.sql('select count(*) as n from sync_staging')

  it('are merged from the staging table, which is empty afterwards', async () => {
    const item = await linkAndSync(world, 'staged and merged')
    await world.bank.change(item.plaidItemId, { add: 2, silent: true })
    const { services, pages } = manyAtOnce(null)
    await odd.sync(item, 'transactions', services)
    expect(pages()).toBe(2)
    expect(await world.sql("select count(*) as n from transactions where plaid_transaction_id like 'ghost %'")).toEqual(
      [{ n: '5001' }],
    )
    expect(await staged()).toEqual([{ n: '0' }])
  })

  it('leave no staged rows after a restart', async () => {
    const item = await linkAndSync(world, 'staged')
    await world.bank.change(item.plaidItemId, { add: 2, silent: true })
    const { services, pages } = manyAtOnce(mutation)
    await odd.sync(item, 'transactions', services)
    expect(pages()).toBe(3)
    await expectTruth(world, 'staged', item.plaidItemId)
    expect(await staged()).toEqual([{ n: '0' }])
  })

  it('are not read for ever where the bank never stops changing', async () => {
    const item = await linkAndSync(world, 'never stops')
    let calls = 0
    const changing = odd.withPlaid({
      syncTransactions: () => {
        calls += 1
        return Promise.resolve({ ok: false, failure: mutation })
      },
    })
    await odd.sync(item, 'transactions', changing)
    expect(calls).toBe(4)
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'failed', error_code: mutation.errorCode })
  })

  it('are restored when Plaid sends them again after a removal, and are a change', async () => {
    const item = await linkAndSync(world, 'back again')
    const [held] = (await world.bank.truth(item.plaidItemId)).transactions
    const id = held?.transaction_id ?? ''
    const change = async () =>
      Number(
        (await world.sql('select change_seq from transactions where plaid_transaction_id = $1', [id]))[0]?.[
          'change_seq'
        ],
      )
    await world.bank.change(item.plaidItemId, { add: 1, silent: true })
    const seen = [await change()]
    await odd.sync(
      item,
      'transactions',
      odd.withPages((page) => ({ ...page, removed: [{ transaction_id: id }] })),
    )
    expect((await everyTransaction(world, 'back again')).map((row) => row.plaidTransactionId)).not.toContain(id)
    seen.push(await change())
    await odd.forgetCursor(item)
    await odd.sync(item, 'transactions')
    await expectTruth(world, 'back again', item.plaidItemId)
    seen.push(await change())
    expect(seen).toEqual([...new Set(seen)].toSorted((left, right) => left - right))
  })

  it('take over the user’s edits when the link from pending to posted comes late, and not over the user’s own', async () => {
    const item = await linkAndSync(world, 'late link')
    const user = world.user('late link')
    const edit = async (plaidId: string | undefined, note: string) => {
      const row = (await everyTransaction(world, 'late link')).find((each) => each.plaidTransactionId === plaidId)
      await editTransaction(world.services.api, user.actor.identity, row?.id ?? '', { note, userCategory: note })
    }
    const { added } = await world.bank.change(item.plaidItemId, {
      add: [1, 2].map((amount) => ({ amount, name: `pending ${amount}`, pending: true })),
      silent: true,
    })
    await odd.sync(item, 'transactions')
    for (const [index, id] of added.entries()) await edit(id, `of pending ${index}`)
    const { posted } = await world.bank.change(item.plaidItemId, {
      post_pending: { transaction_ids: added, link: false },
      silent: true,
    })
    await odd.sync(item, 'transactions')
    const postedOf = (pendingId: string | undefined) =>
      posted.find((pair) => pair.pending_transaction_id === pendingId)?.transaction_id
    await edit(postedOf(added[1]), 'of the posted one')
    await world.bank.change(item.plaidItemId, {
      modify: posted.map((pair) => ({ ...pair })),
      silent: true,
    })
    await odd.sync(item, 'transactions')
    const stored = await expectTruth(world, 'late link', item.plaidItemId)
    const noteOf = (pendingId: string | undefined) =>
      stored.find((row) => row.plaidTransactionId === postedOf(pendingId))?.note
    expect([noteOf(added[0]), noteOf(added[1])]).toEqual(['of pending 0', 'of the posted one'])
  })
})
