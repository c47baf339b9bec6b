// What a user does with rules, as steps of a sequence: the use cases themselves, because they decide which values change.
import { applyToStored, changeRule, createRule, removeRule } from '../../src/rules/manage-rules.ts'
import type { World } from './world.ts'

/** `place` chooses rows and values. */
type Act = (world: World, userId: string, place: number) => Promise<void>

const userOf = async (world: World, userId: string) => {
  const [row] = await world.sql('select subject from users where id = $1', [userId])
  return world.user(String(row?.['subject']))
}

async function oneOf(world: World, select: string, userId: string, place: number): Promise<string | null> {
  const [row] = await world.sql(`${select} order by md5(id::text || $2::int) limit 1`, [userId, place])
  return row === undefined ? null : String(row['id'])
}
const ruleOf = async (world: World, userId: string, place: number) =>
  await oneOf(world, 'select id from rules where user_id = $1::uuid', userId, place)
const shownAccount = `select id from accounts where user_id = $1::uuid
  and exists (select from items i where i.id = item_id and i.removed_at is null)`

async function contentOf(world: World, userId: string, place: number) {
  const accountId = place % 4 === 0 ? await oneOf(world, shownAccount, userId, place) : null
  return {
    contains: accountId === null && place % 3 === 0 ? 'BOUGHT' : null,
    minAmount: String(place % 7),
    maxAmount: null,
    accountId,
    userCategory: place % 5 === 0 ? null : `C${place}`,
    hidden: place % 5 === 0,
  }
}

/** The act, and then the rules for all stored transactions. */
const applied =
  (act: Act): Act =>
  async (world, userId, place) => {
    await act(world, userId, place)
    await applyToStored(await userOf(world, userId), null)
  }

export const ruleSteps = {
  'new rule': applied(async (world, userId, place) => {
    await createRule(await userOf(world, userId), await contentOf(world, userId, place))
  }),
  'changed rule': applied(async (world, userId, place) => {
    const id = await ruleOf(world, userId, place)
    if (id !== null) await changeRule(await userOf(world, userId), id, await contentOf(world, userId, place + 1))
  }),
  'no rule': applied(async (world, userId, place) => {
    const id = await ruleOf(world, userId, place)
    if (id !== null) await removeRule(await userOf(world, userId), id)
  }),
  'rule not applied': async (world: World, userId: string, place: number) => {
    await createRule(await userOf(world, userId), await contentOf(world, userId, place))
  },
} satisfies Readonly<Record<string, Act>>
