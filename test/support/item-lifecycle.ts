// The life of an item in tests: the world that the tests of a file share, small banks that are linked through Link so
// that Plaid knows their user, changed responses of `/item/get`, the pauses of the reconciler, and what must be true of
// a user in the end.
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest'
import * as z from 'zod'
import type { Ctx, User } from '../../src/context.ts'
import { listAccounts } from '../../src/db/records/accounts.ts'
import { type Item, listItems } from '../../src/db/items/items.ts'
import { AppError } from '../../src/errors.ts'
import { openAccessToken } from '../../src/custody/access-token.ts'
import { requestRotation } from '../../src/items/request-rotation.ts'
import { rotateAccessToken } from '../../src/items/rotate-access-token.ts'
import { createLinkToken, type LinkToken, type LinkTokenInput } from '../../src/link/create-link-token.ts'
import { exchangePublicToken } from '../../src/link/exchange-public-token.ts'
import { reconcile } from '../../src/link/reconcile.ts'
import type { Services } from '../../src/context.ts'
import { sweep } from '../../src/sync/sweep.ts'
import { expectTruth } from './equality.ts'
import { oddAnswers, type PlaidValue } from './odd-answers.ts'
import { query } from './sql.ts'
import type { Delivery, SimulatorChoices } from './stack.ts'
import { everyRow } from './tables.ts'
import { createWorld, type World } from './world.ts'

const dayMs = 86_400_000

/**
 * Creates one world for all tests of the file. Before each test, faults, webhooks and queued messages of the test
 * before are cleared.
 */
export function useWorld(take: (world: World) => void, choices: SimulatorChoices = {}): void {
  let world: World
  beforeAll(async () => {
    world = await createWorld(inject('control'), { rateLimits: false, ...choices })
    take(world)
  })
  afterAll(() => world.stop())
  afterEach(async () => {
    await world.bank.clearFaults()
    await world.stack.clearFaults(world.database.name)
    await world.delivered()
    world.queue.length = 0
  })
}

/** The date this many days ago, as `YYYY-MM-DD`. */
export const daysAgo = (days: number): string => new Date(Date.now() - days * dayMs).toISOString().slice(0, 10)

export interface Login {
  readonly institution_id?: string
  readonly username: string
  readonly password: string
}

export interface SmallBank {
  readonly institution?: string
  /** The name, mask and number of transactions of each account. */
  readonly accounts?: readonly (readonly [name: string, mask: string, transactions: number])[]
}

/** A separate login with a few accounts and transactions. The same name opens the same bank. */
export function smallBank(name: string, { institution, accounts }: SmallBank = {}): Login {
  const opened = accounts ?? [
    ['Everyday', '1111', 4],
    ['Nest egg', '2222', 2],
  ]
  const override = opened.map(([account, mask, count]) => ({
    type: 'depository',
    subtype: 'checking',
    starting_balance: 1000,
    meta: { name: account, mask },
    transactions: Array.from({ length: count }, (_, index) => ({
      date_transacted: daysAgo(3 + index * 20),
      date_posted: daysAgo(2 + index * 20),
      amount: 10.25 + index,
      description: `Purchase ${index} of ${account}`,
      currency: 'USD',
    })),
  }))
  return {
    ...(institution === undefined ? {} : { institution_id: institution }),
    username: 'user_custom',
    password: JSON.stringify({ seed: name, override_accounts: override }),
  }
}

const finishedSchema = z.object({ public_token: z.string().nullable(), item_id: z.string().nullable() })

/** Goes through Link with a link token. */
export async function goThroughLink(
  world: World,
  linkToken: string,
  choice: object,
): Promise<z.infer<typeof finishedSchema>> {
  const response = await fetch(`${world.simulator.url}/simulator/link`, {
    method: 'POST',
    body: JSON.stringify({ link_token: linkToken, ...choice }),
  })
  if (!response.ok) throw new Error(`Link: ${response.status} ${await response.text()}`)
  return finishedSchema.parse(await response.json())
}

const fresh: LinkTokenInput = {
  itemId: null,
  redirectUri: null,
  products: ['transactions'],
  hosted: false,
  accountSelection: false,
  language: null,
  countryCodes: null,
}

export const askForLink = async (
  world: World,
  subject: string,
  wanted: Partial<LinkTokenInput> = {},
): Promise<LinkToken> => await createLinkToken(world.user(subject), { ...fresh, ...wanted })

export interface Chosen {
  readonly publicToken: string
  readonly linkToken: string
  /** Plaid's id of the item. */
  readonly plaidItemId: string
}

/** Requests a link token and adds a bank with it. The exchange is left to the test. */
export async function chooseBank(world: World, subject: string, login: Login): Promise<Chosen> {
  const { linkToken } = await askForLink(world, subject)
  const { public_token: publicToken, item_id: plaidItemId } = await goThroughLink(world, linkToken, login)
  if (publicToken === null || plaidItemId === null) throw new Error('Link gave no public token')
  return { publicToken, linkToken, plaidItemId }
}

/** Links the subject's small bank, without syncing anything. */
export async function linkSmallBank(world: World, subject: string): Promise<Item> {
  const { publicToken } = await chooseBank(world, subject, smallBank(subject))
  return await exchangePublicToken(world.user(subject), { publicToken, institution: null })
}

/** Completes the item's history without a webhook, then runs all queued syncs. */
export async function letHistoryArrive(world: World, { plaidItemId }: Pick<Item, 'plaidItemId'>): Promise<void> {
  await world.bank.change(plaidItemId, { history: 'historical', silent: true })
  await world.drain()
}

/** Links the subject's small bank, lets its history arrive and syncs it. */
export async function linkAndSyncSmallBank(world: World, subject: string): Promise<Item> {
  const item = await linkSmallBank(world, subject)
  await letHistoryArrive(world, item)
  return item
}

/** The code of the error that the act ended with; null when it succeeded. */
export async function codeOf(act: Promise<unknown>): Promise<string | null> {
  try {
    await act
    return null
  } catch (error) {
    return error instanceof AppError ? error.code : String(error)
  }
}

/** The error that the act rejects with. Throws when there is none, or when it is not an AppError. */
export async function appErrorOf(act: Promise<unknown>): Promise<AppError> {
  const error = await act.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (error instanceof AppError) return error
  throw new Error(`not refused as expected: ${String(error)}`)
}

/** A user with these services in place of the world's. */
export const userWith = (world: World, subject: string, services: Partial<Services>) => ({
  ...world.user(subject),
  services: { ...world.services, ...services },
})

/** Syncs the item with `change` applied to Plaid's response to `/item/get`. */
export async function lookAtItem(
  world: World,
  item: Item,
  change: (response: PlaidValue<'getItem'>) => PlaidValue<'getItem'>,
): Promise<void> {
  const odd = oddAnswers(world)
  const services = odd.withPlaid({
    async getItem(...args) {
      const answer = await world.services.plaid.getItem(...args)
      return answer.ok ? { ...answer, value: change(answer.value) } : answer
    },
  })
  await odd.sync(item, 'item', services)
}

/** Waits for this many webhooks of a kind and returns them. Drops all others. */
export async function webhooksLike(world: World, kind: RegExp, count: number): Promise<Delivery[]> {
  const found: Delivery[] = []
  await expect
    .poll(
      async () => {
        found.push(...(await world.delivered()).filter(({ body }) => kind.test(body)))
        return found.length
      },
      { timeout: 10_000 },
    )
    .toBeGreaterThanOrEqual(count)
  return found
}

/** Requests a rotation of the access token; the queue runs it immediately with the user's services. */
export async function rotate(world: World, user: Ctx<User>, itemId: string): Promise<void> {
  await requestRotation(user, itemId)
  const message = world.queue.pop()
  if (message === undefined || !('rotate_item_id' in message)) throw new Error('no rotation was sent')
  const { rotate_item_id: id, token_digest: tokenDigest } = message
  await rotateAccessToken(world.job(user.services), { itemId: id, tokenDigest })
}

/**
 * Lets the time pass that reconcilers, retries and leases wait for: for all users, or for one. For one user is much
 * faster when a world has many, because the reconcilers then have only that user's work.
 */
export async function letTimePass(world: World, subject: string | null = null): Promise<void> {
  const ofUser = subject === null ? 'true' : 'user_id = (select id from users where subject = $1)'
  const params = subject === null ? [] : [subject]
  await world.sql(
    `update link_exchanges set created_at = created_at - interval '1 day', next_attempt_at = next_attempt_at - interval '1 day' where ${ofUser}`,
    params,
  )
  await world.sql(
    `update plaid_removals set next_attempt_at = next_attempt_at - interval '1 day' where ${ofUser}`,
    params,
  )
  await world.sql(
    `update users set plaid_items_checked_at = plaid_items_checked_at - interval '2 days' where ${subject === null ? 'true' : 'subject = $1'}`,
    params,
  )
  await world.sql(
    `update items set rotation_started_at = rotation_started_at - interval '1 day' where ${ofUser}`,
    params,
  )
  await world.sql(`update link_sessions set check_at = check_at - interval '2 hours' where ${ofUser}`, params)
  await world.sql(
    `update item_products set lease_expires_at = lease_expires_at - interval '1 day', next_attempt_at = next_attempt_at - interval '1 day'
      where (dirty_seq > synced_seq or lease_expires_at is not null) and ${ofUser}`,
    params,
  )
}

/** Runs crons and queues for some rounds; with a `subject`, for that user alone. */
export async function heal(world: World, rounds = 2, subject: string | null = null): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await letTimePass(world, subject)
    await reconcile(world.job())
    await sweep(world.job())
    await world.drain()
  }
}

const living = z.array(z.looseObject({ item_id: z.string() }))

/** The items that Plaid holds and bills for the user, by Plaid's id. */
export async function heldAtPlaid(world: World, subject: string): Promise<string[]> {
  const [user] = await world.sql('select plaid_user_id from users where subject = $1', [subject])
  const { items } = await world.bank.plaid('/user/items/get', { user_id: String(user?.['plaid_user_id']) })
  return living.parse(items).map(({ item_id: id }) => id)
}

/** The user's stored items that are not hidden, by Plaid's id. */
export async function heldHere(world: World, subject: string): Promise<string[]> {
  const rows = await world.sql(
    'select plaid_item_id from items i join users u on u.id = i.user_id where u.subject = $1 and removed_at is null',
    [subject],
  )
  return rows.map((row) => String(row['plaid_item_id']))
}

/**
 * Fails unless all work for the user is done: Plaid holds exactly the items that are stored here, at most one, nothing
 * is left to do, and the data match the bank's. Returns Plaid's id of the item.
 */
export async function expectAtRest(world: World, subject: string): Promise<string | null> {
  const [here, there] = [await heldHere(world, subject), await heldAtPlaid(world, subject)]
  expect({ subject, items: there }).toEqual({ subject, items: here })
  expect(here.length).toBeLessThan(2)
  const [left] = await world.sql(
    `select (select count(*) from plaid_removals r where r.user_id = u.id) as removals,
       (select count(*) from link_exchanges x where x.user_id = u.id and (state in ('started', 'exchanged') or access_token_sealed is not null)) as exchanges,
       (select count(*) from items i where i.user_id = u.id and removed_at is null and rotation_started_at is not null) as rotations
     from users u where subject = $1`,
    [subject],
  )
  expect({ subject, ...left }).toEqual({ subject, removals: '0', exchanges: '0', rotations: '0' })
  const [plaidItemId] = here
  if (plaidItemId === undefined) return null
  await world.bank.change(plaidItemId, { history: 'historical', silent: true })
  await world.sql(
    `update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where item_id in (select id from items where plaid_item_id = $1)`,
    [plaidItemId],
  )
  await sweep(world.job())
  await world.drain()
  await expectTruth(world, subject, plaidItemId)
  return plaidItemId
}

/** Fails if a table or a log line contains a token of Plaid in plain text. */
export async function expectNoTokens({ database, lines }: World): Promise<void> {
  const rows = await everyRow((text, params) => query(database.endpoint, database.ownerUrl, text, params))
  expect([...rows, ...lines].filter((line) => /(access|public|link)-sandbox-/.test(line))).toEqual([])
}

/** The item's row as the owner of the tables sees it. */
export async function rowOf(world: World, { id }: Pick<Item, 'id'>): Promise<Record<string, unknown>> {
  const [row] = await world.sql('select * from items where id = $1', [id])
  if (row === undefined) throw new Error('there is no such item')
  return row
}

/** The item's access token, in plain text. */
export async function accessTokenOf(world: World, item: Item): Promise<string> {
  const { access_token_sealed: sealed, user_id: userId } = await rowOf(world, item)
  const owner = { userId: String(userId), itemId: item.id }
  return (await openAccessToken(world.services.keyring, String(sealed), owner)).reveal()
}

/** The user's items as the API lists them. */
export const itemsOf = async (world: World, subject: string) =>
  (await listItems(world.services.api, world.user(subject).actor.identity, 100, null)).rows

/** The user's accounts as the API lists them. */
export const accountsOf = async (world: World, subject: string) =>
  (await listAccounts(world.services.api, world.user(subject).actor.identity, 100, null)).rows
