// When a key was used last: shown to find keys that are not in use. A key that is refused was not used.
import { expect, it } from 'vitest'
import { createKey } from '../../../src/auth/api-key.ts'
import { useKey, useKeyOfToken } from '../../../src/db/applications/use-key.ts'
import { registerUser } from '../../../src/db/core/scope.ts'
import { encodeHex } from '../../../src/crypto/encoding.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const address = '192.0.2.7'

/** A key of a user. `columns` are assignments of SQL. */
async function keyOf(subject: string, columns = 'last_used_at = null') {
  const userId = await registerUser(world.services.api, world.user(subject).actor.identity)
  const { prefix, digest } = await createKey('test')
  const id = crypto.randomUUID()
  await world.sql(
    `insert into api_keys (id, user_id, name, prefix, digest, scopes) values ($1, $2, 'server', $3, decode($4, 'hex'), '{read}')`,
    [id, userId, prefix, encodeHex(digest)],
  )
  await world.sql(`update api_keys set ${columns} where id = $1`, [id])
  const use = async () => (await useKey(world.services.api, digest, address))?.state
  const useToken = async () => (await useKeyOfToken(world.services.api, id))?.state
  /** Seconds since the last use; null for never. */
  const usedAgo = async () => {
    const [row] = await world.sql(
      'select extract(epoch from now() - last_used_at)::int as ago from api_keys where id = $1',
      [id],
    )
    return row?.['ago'] === null ? null : Number(row?.['ago'])
  }
  return { id, use, useToken, usedAgo }
}

it.each(['use', 'useToken'] as const)('the last use of a key is stored at the first one (%s)', async (how) => {
  const key = await keyOf(`first ${how}`)
  expect(await key[how]()).toBe('live')
  expect(await key.usedAgo()).toBeLessThan(30)
})

it.each([
  [50, 50],
  [70, 0],
])('a use %i seconds after the last one leaves a last use of %i seconds ago', async (before, after) => {
  const key = await keyOf(`again ${before}`, `last_used_at = now() - interval '${before} seconds'`)
  expect([await key.use(), await key.useToken()]).toEqual(['live', 'live'])
  const ago = (await key.usedAgo()) ?? -1
  expect([ago >= after, ago < after + 10]).toEqual([true, true])
})

it.each([
  ['revoked', 'revoked_at = now()'],
  ['expired', "expires_at = now() - interval '1 second'"],
  ['network', "networks = '{198.51.100.0/24}'"],
])('a refused key was not used: %s', async (state, columns) => {
  const never = await keyOf(`never ${state}`, columns)
  const long = await keyOf(`long ago ${state}`, `${columns}, last_used_at = now() - interval '1 hour'`)
  expect([await never.use(), await long.use()]).toEqual([state, state])
  expect(await never.usedAgo()).toBeNull()
  expect(await long.usedAgo()).toBeGreaterThan(3500)
})

it('a use does not wait for another one that stores the time', async () => {
  const key = await keyOf('busy')
  const slow = world.sql(
    `do $$ begin perform from api_keys where id = '${key.id}' for no key update; perform pg_sleep(1); end $$`,
  )
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect([await key.use(), await key.usedAgo()]).toEqual(['live', null])
  await slow
})
