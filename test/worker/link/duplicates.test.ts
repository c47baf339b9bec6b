// A bank that its user links a second time.
import { afterEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { errorTable } from '../../../src/errors.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import {
  appErrorOf,
  chooseBank,
  heldAtPlaid,
  itemsOf,
  useWorld,
  smallBank,
  type SmallBank,
} from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'
import { platypus, everyday, linking } from './linking.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(() => {
  world.lines.length = 0
})
const { calls, endpointsOf, later } = linking(() => world)

describe('a bank that is linked already', () => {
  const asked = (publicToken: string, accounts: readonly object[], allowDuplicate = false) => ({
    publicToken,
    institution: platypus,
    accounts: z
      .array(z.object({ name: z.string().nullable(), mask: z.string().nullable(), subtype: z.string().nullable() }))
      .parse(accounts),
    allowDuplicate,
  })
  const first = async (subject: string, bank: SmallBank = {}) => {
    const chosen = await chooseBank(world, subject, smallBank(subject, bank))
    return await exchangePublicToken(world.user(subject), { publicToken: chosen.publicToken, institution: null })
  }
  const second = (subject: string, bank: SmallBank = {}) => chooseBank(world, subject, smallBank(subject, bank))
  const held = (subject: string) => heldAtPlaid(world, subject)

  it('is detected by Link’s metadata: the public token stays valid, and works with allow_duplicate', async () => {
    const subject = 'by metadata'
    const item = await first(subject)
    const { publicToken, plaidItemId } = await second(subject)
    const endpoints = await endpointsOf(async () => {
      const error = await appErrorOf(exchangePublicToken(world.user(subject), asked(publicToken, [everyday])))
      expect({ code: error.code, status: errorTable[error.code].status, more: error.extensions }).toEqual({
        code: 'duplicate_item',
        status: 409,
        more: {
          item_id: item.id,
          second_item_may_end_first: false,
          accounts: [{ id: expect.any(String) as unknown, name: 'Everyday', mask: '1111' }],
        },
      })
    })
    expect(endpoints).toEqual([])
    const duplicate = await exchangePublicToken(world.user(subject), asked(publicToken, [everyday], true))
    expect(duplicate.id).not.toBe(item.id)
    expect(await held(subject)).toEqual([item.plaidItemId, plaidItemId])
    expect(await itemsOf(world, subject)).toHaveLength(2)
  })

  it.each([
    ['an account of another name', { ...everyday, name: 'Another' }],
    ['another mask', { ...everyday, mask: '9999' }],
    ['no mask', { ...everyday, mask: null }],
    ['another kind', { ...everyday, subtype: 'savings' }],
  ])('is not known by %s', async (what, account) => {
    const subject = `not by ${what}`
    const item = await first(subject)
    const { publicToken, plaidItemId } = await second(subject)
    // The duplicate is found after the exchange, in Plaid's data, and is removed at Plaid.
    const error = await appErrorOf(exchangePublicToken(world.user(subject), asked(publicToken, [account])))
    expect({ code: error.code, more: error.extensions }).toMatchObject({
      code: 'duplicate_item',
      more: { item_id: item.id },
    })
    expect((await calls()).filter(({ item_id: id }) => id === plaidItemId).at(-1)?.endpoint).toBe('/item/remove')
    expect(await held(subject)).toEqual([item.plaidItemId])
    expect(await itemsOf(world, subject)).toHaveLength(1)
    // The same public token gets the same error, without a call to Plaid.
    const endpoints = await endpointsOf(async () => {
      const again = await appErrorOf(exchangePublicToken(world.user(subject), asked(publicToken, [account])))
      expect({ code: again.code, item: again.extensions['item_id'] }).toEqual({ code: 'duplicate_item', item: item.id })
    })
    expect(endpoints).toEqual([])
  })

  it('is eventually removed at Plaid after the first removal failed', async () => {
    const subject = 'duplicate while down'
    const item = await first(subject)
    const { publicToken, plaidItemId } = await second(subject)
    await world.bank.fault({ endpoint: '/item/remove', times: 2, error: 'INTERNAL_SERVER_ERROR' })
    const error = await appErrorOf(exchangePublicToken(world.user(subject), { publicToken, institution: null }))
    expect(error.code).toBe('duplicate_item')
    expect(await held(subject)).toEqual([item.plaidItemId, plaidItemId])
    await later()
    expect(await held(subject)).toEqual([item.plaidItemId])
  })

  it('counts as living while it waits for its user', async () => {
    const subject = 'waiting duplicate'
    const item = await first(subject)
    await world.sql("update items set status = 'needs_update' where id = $1", [item.id])
    const { publicToken } = await second(subject)
    expect((await appErrorOf(exchangePublicToken(world.user(subject), asked(publicToken, [everyday])))).code).toBe(
      'duplicate_item',
    )
    const error = await appErrorOf(exchangePublicToken(world.user(subject), { publicToken, institution: null }))
    expect(error.extensions).toMatchObject({ item_id: item.id })
    expect(await held(subject)).toEqual([item.plaidItemId])
  })

  it('does not match another user’s item', async () => {
    const bank = smallBank('shared by two')
    const [mine, theirs] = [await chooseBank(world, 'one of two', bank), await chooseBank(world, 'other of two', bank)]
    const item = await exchangePublicToken(world.user('one of two'), asked(mine.publicToken, [everyday]))
    const other = await exchangePublicToken(world.user('other of two'), asked(theirs.publicToken, [everyday]))
    expect([item.plaidItemId, other.plaidItemId]).toEqual([mine.plaidItemId, theirs.plaidItemId])
  })

  it('is none where the accounts are others, at the same institution', async () => {
    const subject = 'two logins'
    const item = await first(subject)
    const accounts = [['Another', '3333', 2]] as const
    const login = smallBank(`${subject} again`, { accounts })
    const { publicToken, plaidItemId } = await chooseBank(world, subject, login)
    const other = { name: 'Another', mask: '3333', subtype: 'checking' }
    const added = await exchangePublicToken(world.user(subject), asked(publicToken, [other]))
    expect(added.plaidItemId).toBe(plaidItemId)
    expect(await held(subject)).toEqual([item.plaidItemId, plaidItemId])
  })

  it('is none where the accounts of that name are closed', async () => {
    const subject = 'closed duplicate'
    const item = await first(subject)
    await world.sql('update accounts set closed = true where item_id = $1', [item.id])
    const { publicToken, plaidItemId } = await second(subject)
    await world.sql('update accounts set closed = true where item_id = $1', [item.id])
    expect((await exchangePublicToken(world.user(subject), asked(publicToken, [everyday]))).plaidItemId).toBe(
      plaidItemId,
    )
  })

  it('is known by Plaid’s persistent id where the bank has given the account another name', async () => {
    const subject = 'persistent'
    const institution = 'ins_127287'
    const item = await first(subject, { institution })
    const [row] = await world.sql('select count(persistent_account_id) as n from accounts where item_id = $1', [
      item.id,
    ])
    expect(Number(row?.['n'])).toBe(2)
    await world.sql("update accounts set name = 'Old name', mask = '0000' where item_id = $1", [item.id])
    const { publicToken } = await second(subject, { institution })
    const error = await appErrorOf(exchangePublicToken(world.user(subject), { publicToken, institution: null }))
    expect(error.extensions).toMatchObject({ item_id: item.id })
    expect(await held(subject)).toEqual([item.plaidItemId])
  })

  it('is a different one if Plaid’s persistent ids differ, with any names', async () => {
    const subject = 'same names'
    const institution = 'ins_127287'
    const item = await first(subject, { institution })
    await world.sql("update accounts set persistent_account_id = 'another ' || name where item_id = $1", [item.id])
    const { publicToken, plaidItemId } = await second(subject, { institution })
    const added = await exchangePublicToken(world.user(subject), { publicToken, institution: null })
    expect(added.plaidItemId).toBe(plaidItemId)
  })

  it.each(['ins_56', 'ins_13', 'ins_15', 'ins_11'])(
    'warns where a second link may end the first (%s)',
    async (institution) => {
      const subject = `one only ${institution}`
      const item = await first(subject, { institution })
      const { publicToken } = await second(subject, { institution })
      const error = await appErrorOf(
        exchangePublicToken(world.user(subject), {
          publicToken,
          institution: { id: institution, name: 'One only' },
          accounts: [everyday],
        }),
      )
      expect(error.extensions).toMatchObject({ item_id: item.id, second_item_may_end_first: true })
      expect(error.detail).toContain('end the first')
      const afterwards = await appErrorOf(exchangePublicToken(world.user(subject), { publicToken, institution: null }))
      expect(afterwards.extensions).toMatchObject({ item_id: item.id, second_item_may_end_first: true })
    },
  )
})
