// Stored values that only Plaid can check, such as a cursor, and that Plaid refuses. The item recovers without a user,
// and its sync run names the reason.
import { describe, expect, it } from 'vitest'
import { getItem, type Item } from '../../../src/db/items/items.ts'
import { AppError } from '../../../src/errors.ts'
import type { PlaidFailure } from '../../../src/plaid/errors.ts'
import { expectTruth } from '../../support/equality.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { link, linkAndSync } from '../../support/linked.ts'
import { oddAnswers, type OddAnswers } from '../../support/odd-answers.ts'
import type { World } from '../../support/world.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})

const statusOf = async (subject: string, item: Item) => {
  const found = await getItem(world.services.api, world.user(subject).actor.identity, item.id)
  if (found === null) throw new AppError('not_found', 'There is no such item.')
  return found.status
}

const failure = (more: Partial<PlaidFailure>) => ({
  ok: false as const,
  failure: {
    class: 'ours' as const,
    errorType: 'INVALID_REQUEST',
    errorCode: 'INVALID_FIELD',
    status: 400,
    requestId: 'request-1',
    retryAfterSeconds: null,
    ...more,
  },
})

/** Services whose Plaid refuses every cursor with this error, and accepts a start without one. */
const refusingCursors = (refusal: Partial<PlaidFailure>) => {
  const asked: (string | null)[] = []
  const services = odd.withPlaid({
    async syncTransactions(token, cursor) {
      asked.push(cursor)
      // A run that began without a cursor continues with the cursors of its pages.
      const isOfThisRun = asked.includes(null)
      return cursor === null || isOfThisRun
        ? await world.services.plaid.syncTransactions(token, cursor)
        : failure(refusal)
    },
  })
  return { services, asked }
}

describe('a cursor that Plaid refuses', () => {
  it.each([
    { errorType: 'INVALID_REQUEST', errorCode: 'INVALID_FIELD' },
    { errorType: 'INVALID_INPUT', errorCode: 'INVALID_CURSOR' },
    { errorType: 'INVALID_REQUEST', errorCode: 'SOMETHING_NEW' },
  ])('is given up: the run begins from the start once, and says so ($errorCode)', async (refusal) => {
    const subject = `refused ${refusal.errorCode}`
    const item = await linkAndSync(world, subject)
    await world.bank.change(item.plaidItemId, { add: 3, remove: 1, silent: true })
    const { services, asked } = refusingCursors(refusal)
    await odd.sync(item, 'transactions', services)
    expect(asked.slice(0, 2)).toEqual([expect.any(String), null])
    await expectTruth(world, subject, item.plaidItemId)
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'committed', error_code: 'CURSOR_REFUSED' })
    await world.bank.change(item.plaidItemId, { add: 1, silent: true })
    await odd.sync(item, 'transactions')
    await expectTruth(world, subject, item.plaidItemId)
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'committed', error_code: null })
  })

  it('fails the run when the start is refused too', async () => {
    const subject = 'refused altogether'
    const item = await linkAndSync(world, subject)
    const services = odd.withPlaid({ syncTransactions: () => Promise.resolve(failure({})) })
    await odd.sync(item, 'transactions', services)
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'failed', error_code: 'INVALID_FIELD' })
    await expectTruth(world, subject, item.plaidItemId)
  })

  it('is kept where Plaid refuses the keys', async () => {
    const item = await linkAndSync(world, 'refused keys')
    const { services, asked } = refusingCursors({ errorType: 'INVALID_INPUT', errorCode: 'INVALID_API_KEYS' })
    await odd.sync(item, 'transactions', services)
    expect(asked).not.toContain(null)
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'failed', error_code: 'INVALID_API_KEYS' })
  })

  it('is given up by the third run whose data always changes while it is read', async () => {
    const subject = 'always changing'
    const item = await linkAndSync(world, subject)
    await world.bank.change(item.plaidItemId, { add: 2, silent: true })
    const mutation = {
      class: 'restart',
      errorType: 'TRANSACTIONS_ERROR',
      errorCode: 'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION',
    } as const
    for (let run = 0; run < 2; run += 1) {
      const { services, asked } = refusingCursors(mutation)
      await odd.sync(item, 'transactions', services)
      expect(asked).not.toContain(null)
      expect(await odd.lastRun(item)).toMatchObject({ outcome: 'failed' })
    }
    await odd.sync(item, 'transactions', refusingCursors(mutation).services)
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'committed', error_code: 'CURSOR_KEEPS_CHANGING' })
    await expectTruth(world, subject, item.plaidItemId)
  })
})

describe('an error of an item that is not known', () => {
  const unknown = { errorType: 'ITEM_ERROR', errorCode: 'SOMETHING_NEW' } as const

  it('has the item looked at, and is tried again', async () => {
    const subject = 'unknown error'
    const item = await linkAndSync(world, subject)
    const before = (await world.bank.calls()).length
    const services = odd.withPlaid({
      getAccounts: () => Promise.resolve(failure({ ...unknown, class: 'item_error' })),
    })
    await odd.sync(item, 'balances', services)
    const called = (await world.bank.calls()).slice(before).map(({ endpoint }) => endpoint)
    expect(called).toContain('/item/get')
    expect(await statusOf(subject, item)).toBe('healthy')
    const [row] = await world.sql(
      `select status, next_attempt_at between now() + interval '10 minutes' and now() + interval '31 minutes' as soon
        from item_products where item_id = $1 and product = 'balances'`,
      [item.id],
    )
    expect(row).toEqual({ status: 'error', soon: 't' })
  })

  it('asks for a new login where the item itself has it', async () => {
    const subject = 'unknown state'
    const item = await linkAndSync(world, subject)
    const services = odd.withPlaid({
      async getItem(token) {
        const answer = await world.services.plaid.getItem(token)
        if (!answer.ok) return answer
        const error = { error_type: 'ITEM_ERROR', error_code: 'SOMETHING_NEW' }
        return { ...answer, value: { ...answer.value, item: { ...answer.value.item, error } } }
      },
    })
    await odd.sync(item, 'item', services)
    expect(await statusOf(subject, item)).toBe('needs_update')
  })
})

describe('an item whose first transactions do not come', () => {
  it('is not healthy, and is when they came', async () => {
    const subject = 'none yet'
    const item = await link(world, subject)
    await world.bank.change(item.plaidItemId, { history: 'historical', silent: true })
    await world.bank.fault({ endpoint: '/transactions/sync', times: 20, error: 'INVALID_FIELD' })
    await world.drain()
    for (const product of ['balances', 'item', 'transactions']) await odd.sync(item, product)
    expect(await statusOf(subject, item)).toBe('initializing')
    await world.bank.clearFaults()
    await odd.sync(item, 'transactions')
    expect(await statusOf(subject, item)).toBe('healthy')
  })
})
