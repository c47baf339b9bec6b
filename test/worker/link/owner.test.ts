// A public token links the bank of the user who went through Link, whichever user sends the token.
import { afterEach, describe, expect, it } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { exchangePublicToken, type ExchangeInput } from '../../../src/link/exchange-public-token.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import type { Services } from '../../../src/context.ts'
import {
  accountsOf,
  askForLink,
  chooseBank,
  heldAtPlaid,
  heldHere,
  letTimePass,
  smallBank,
  userWith,
  useWorld,
} from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(async () => {
  await world.bank.clearAlterations()
  world.lines.length = 0
})

const strictly = (): Services => {
  const { services } = world
  return { ...services, config: { ...services.config, strict: true } }
}

/** The result of an exchange: the item, or the code of the error. */
async function exchangeAs(
  subject: string,
  input: Omit<ExchangeInput, 'institution'>,
  services: Services = world.services,
): Promise<string> {
  try {
    await exchangePublicToken(userWith(world, subject, services), { institution: null, ...input })
    return 'linked'
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

const logged = (event: string): string[] => world.lines.filter((line) => line.includes(`"event":"${event}"`))

/** Runs `act` while link tokens of the subject name no Plaid user. */
async function withoutPlaidUser<T>(subject: string, act: () => Promise<T>): Promise<T> {
  await world.sql('update users set plaid_user_id = null where subject = $1', [subject])
  await world.bank.alter({ endpoint: '/user/create', path: 'user_id', value: 'wz666MBjYWTp2PDz' })
  const made = await act()
  await world.bank.clearAlterations()
  return made
}

describe("another user's public token", () => {
  it('brought with a link token of one’s own shows nothing, and its bank is ended at Plaid', async () => {
    const owner = await chooseBank(world, 'owner', smallBank('owner'))
    const { linkToken } = await askForLink(world, 'thief')
    expect(await exchangeAs('thief', { publicToken: owner.publicToken, linkToken })).toBe('plaid_unavailable')
    expect(await accountsOf(world, 'thief')).toEqual([])
    await letTimePass(world, 'thief')
    await reconcile(world.job())
    expect(logged('exchange_of_another_user')).toHaveLength(1)
    expect(await heldHere(world, 'thief')).toEqual([])
    expect(await heldAtPlaid(world, 'owner')).toEqual([])
    expect(await exchangeAs('thief', { publicToken: owner.publicToken, linkToken })).toBe('public_token_refused')
  })

  it('brought with a link token that names no user of Plaid’s is refused where strict, and its owner can use it', async () => {
    const subject = 'owner of an older client'
    const owner = await withoutPlaidUser(subject, () => chooseBank(world, subject, smallBank(subject)))
    const { linkToken } = await withoutPlaidUser('thief without id', () => askForLink(world, 'thief without id'))
    const { publicToken } = owner
    expect(await exchangeAs('thief without id', { publicToken, linkToken }, strictly())).toBe('link_token_refused')
    expect(logged('exchange_without_proof')).toHaveLength(1)
    expect(await exchangeAs(subject, owner, strictly())).toBe('linked')
    expect(logged('exchange_without_proof')).toHaveLength(1)
    expect(await heldHere(world, 'thief without id')).toEqual([])
  })

  it('brought without a link token is refused where strict; in development it links, with a warning', async () => {
    const { publicToken } = await chooseBank(world, 'no link token', smallBank('no link token'))
    expect(await exchangeAs('whoever', { publicToken }, strictly())).toBe('link_token_refused')
    expect(await exchangeAs('whoever', { publicToken })).toBe('linked')
    expect(logged('exchange_without_proof')).toHaveLength(2)
  })

  it('raises an alarm when it was linked in development and Plaid lists its item for the owner', async () => {
    const { publicToken, plaidItemId } = await chooseBank(world, 'listed owner', smallBank('listed owner'))
    expect(await exchangeAs('holder', { publicToken })).toBe('linked')
    await letTimePass(world, 'listed owner')
    await reconcile(world.job())
    expect(logged('item_of_another_user').filter((line) => line.includes(plaidItemId))).toHaveLength(1)
    expect(await heldHere(world, 'holder')).toEqual([plaidItemId])
  })
})

describe("a user's own public token", () => {
  it('links where strict, with one look at Plaid’s list', async () => {
    const chosen = await chooseBank(world, 'own', smallBank('own'))
    const before = (await world.bank.calls()).length
    expect(await exchangeAs('own', chosen, strictly())).toBe('linked')
    const endpoints = (await world.bank.calls()).slice(before).map(({ endpoint }) => endpoint)
    expect(endpoints.filter((endpoint) => endpoint === '/user/items/get')).toHaveLength(1)
    expect(endpoints).not.toContain('/link/token/get')
    expect(logged('exchange_without_proof')).toEqual([])
  })

  it('links where the list names its item at the third look', async () => {
    const chosen = await chooseBank(world, 'late list', smallBank('late list'))
    await world.bank.alter({ endpoint: '/user/items/get', path: 'items', value: [], times: 2 })
    expect(await exchangeAs('late list', chosen)).toBe('linked')
  })

  it('links at the next try where the list was later still', async () => {
    const chosen = await chooseBank(world, 'later list', smallBank('later list'))
    await world.bank.alter({ endpoint: '/user/items/get', path: 'items', value: [], times: 3 })
    expect(await exchangeAs('later list', chosen)).toBe('plaid_unavailable')
    expect(await heldHere(world, 'later list')).toEqual([])
    expect(await exchangeAs('later list', chosen)).toBe('linked')
  })

  it.each(['INTERNAL_SERVER_ERROR', 'RATE_LIMIT'])(
    'waits where the list cannot be read now (%s), and is linked by the reconciler',
    async (error) => {
      const subject = `list ${error}`
      const chosen = await chooseBank(world, subject, smallBank(subject))
      await world.bank.fault({ endpoint: '/user/items/get', error, times: 10 })
      expect(await exchangeAs(subject, chosen)).toBe('plaid_unavailable')
      await world.bank.clearFaults()
      await world.elapse()
      await letTimePass(world, subject)
      await reconcile(world.job())
      expect(await heldHere(world, subject)).toEqual([chosen.plaidItemId])
    },
  )

  it('stays open if strict, and links with a warning in development, when Plaid refuses the list to the client', async () => {
    const chosen = await chooseBank(world, 'no list', smallBank('no list'))
    await world.bank.fault({ endpoint: '/user/items/get', error: 'INVALID_PRODUCT', times: 2 })
    expect(await exchangeAs('no list', chosen, strictly())).toBe('plaid_rejected')
    expect(await heldHere(world, 'no list')).toEqual([])
    expect(await exchangeAs('no list', chosen)).toBe('linked')
    expect(logged('exchange_without_proof')).toHaveLength(1)
  })

  it('can be retried when a client without Plaid’s user API cannot read its session', async () => {
    const chosen = await withoutPlaidUser('older', () => chooseBank(world, 'older', smallBank('older')))
    await world.bank.fault({ endpoint: '/link/token/get', error: 'INTERNAL_SERVER_ERROR', times: 10 })
    expect(await exchangeAs('older', chosen, strictly())).toBe('plaid_unavailable')
    await world.bank.clearFaults()
    expect(await exchangeAs('older', chosen, strictly())).toBe('linked')
  })
})
