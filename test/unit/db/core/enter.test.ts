// `app.enter` on one session, as a connection pooler gives it to one user's transaction after another's.
import type { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../../../support/own-database.ts'

let session: Client
useDatabase((client) => {
  session = client
}, 'apiUrl')

const enter = async (subject: string, create: boolean): Promise<unknown> =>
  (await session.query('select app.enter($1, $2, $3) as id', ['issuer', subject, create])).rows[0]?.id
const currentUser = async (): Promise<unknown> => (await session.query('select app.user_id() as id')).rows[0]?.id

describe('the user of a transaction', () => {
  it('is forgotten when it is committed', async () => {
    await session.query('begin')
    const id = await enter('first', true)
    expect(await currentUser()).toBe(id)
    await session.query('commit')
    expect(await currentUser()).toBeNull()
  })

  it('is null for an unknown identity, even if another user was entered before', async () => {
    await session.query('begin')
    await enter('first', true)
    expect(await enter('unknown', false)).toBeNull()
    expect(await currentUser()).toBeNull()
    await session.query('commit')
  })

  it('is the same one each time, and another for another issuer or subject', async () => {
    const first = await enter('first', true)
    expect(await enter('first', true)).toBe(first)
    expect(await enter('First', true)).not.toBe(first)
    const { rows } = await session.query("select app.enter('other', 'first', true) as id")
    expect(rows[0]?.id).not.toBe(first)
  })
})
