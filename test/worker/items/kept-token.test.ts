// An access token from an exchange is stored in spite of a short failure of the database, or its item is removed at
// Plaid.
import { afterEach, describe, expect, it } from 'vitest'
import { exchangePublicToken, type ExchangeInput } from '../../../src/link/exchange-public-token.ts'
import {
  chooseBank,
  codeOf,
  expectAtRest,
  heldAtPlaid,
  smallBank,
  userWith,
  useWorld,
} from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(() => {
  world.lines.length = 0
})

const storing = "set state = 'exchanged'"

async function chosen(subject: string): Promise<{ input: ExchangeInput; plaidItemId: string }> {
  const { publicToken, plaidItemId } = await chooseBank(world, subject, smallBank(subject))
  return { input: { publicToken, institution: null }, plaidItemId }
}

const exchangesOf = (subject: string) =>
  world.sql('select state from link_exchanges x join users u on u.id = x.user_id where u.subject = $1', [subject])

describe('an exchanged access token', () => {
  it.each(['fail-before', 'lose-answer', 'cut-after'] as const)(
    'is stored although the database fails twice (%s)',
    async (kind) => {
      const subject = `twice ${kind}`
      const { input, plaidItemId } = await chosen(subject)
      await world.stack.addFault(world.database.name, { kind, matching: storing, times: 2 })
      expect((await exchangePublicToken(world.user(subject), input)).plaidItemId).toBe(plaidItemId)
      expect(world.lines.filter((line) => line.includes('exchange_stored_again'))).toHaveLength(2)
      expect(await expectAtRest(world, subject)).toBe(plaidItemId)
    },
  )

  it('is given back at Plaid when it could not be stored three times', async () => {
    const subject = 'three times'
    const { input } = await chosen(subject)
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: storing, times: 3 })
    expect(await codeOf(exchangePublicToken(world.user(subject), input))).toBe('unavailable')
    expect(await heldAtPlaid(world, subject)).toEqual([])
  })

  it('stays when the client’s retry has made an item of it before it is stored again', async () => {
    const subject = 'overtaken'
    const { input, plaidItemId } = await chosen(subject)
    await world.stack.addFault(world.database.name, { kind: 'lose-answer', matching: storing })
    let retried: string | null = null
    const services = {
      ...world.services,
      wait: async () => {
        retried = await codeOf(exchangePublicToken(world.user(subject), input))
      },
    }
    await codeOf(exchangePublicToken(userWith(world, subject, services), input))
    expect(retried).toBeNull()
    expect(await exchangesOf(subject)).toEqual([{ state: 'linked' }])
    expect(await expectAtRest(world, subject)).toBe(plaidItemId)
  })

  it('is not asked for when the database took so long that a lost client could cancel its storage', async () => {
    const subject = 'late'
    const { input, plaidItemId } = await chosen(subject)
    let looks = 0
    const late = { ...world.user(subject), now: () => new Date(Date.now() + 6000 * looks++) }
    expect(await codeOf(exchangePublicToken(late, input))).toBe('unavailable')
    expect(await exchangesOf(subject)).toEqual([])
    expect((await exchangePublicToken(world.user(subject), input)).plaidItemId).toBe(plaidItemId)
  })
})
