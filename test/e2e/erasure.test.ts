// The rights of a person over HTTP, while Plaid is down, and what the audit trail has of them.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { type Edge, expectStatus, startEdge } from '../support/edge.ts'

let edge: Edge
beforeAll(async () => {
  edge = await startEdge()
}, 240_000)
afterAll(() => edge.stop())

const erasureSchema = z.object({ id: z.string(), status: z.string(), certificate: z.string().nullable() })

test('an erasure while Plaid is down is accepted with 202, and ends with a certificate once Plaid is back', async () => {
  const item = await edge.linkAndSync('leaver')
  await edge.bank.fault({ endpoint: '/item/remove', times: 1000, error: 'INTERNAL_SERVER_ERROR' })
  const asked = await edge.as('leaver')('POST', '/api/v1/privacy/erase', { body: {} })
  const erasure = erasureSchema.parse(expectStatus(asked, 202).json())
  expect(erasure).toMatchObject({ status: 'erasing', certificate: null })
  const path = `/api/v1/privacy/erasures/${erasure.id}`
  expect(erasureSchema.parse(expectStatus(await edge.call('GET', path), 200).json())).toEqual(erasure)
  expect((await edge.as('leaver')('GET', '/api/v1/plaid/items')).status).toBe(401)
  const rows = 'select 1 from transactions t join items i on i.id = t.item_id where i.plaid_item_id = $1'
  expect(await edge.sql(rows, [item.plaidItemId])).toEqual([])

  await edge.healBank()
  await vi.waitFor(
    async () => {
      await edge.sql('update erasures set next_attempt_at = now() where completed_at is null')
      await edge.sweep()
      expect(erasureSchema.parse((await edge.call('GET', path)).json())).toMatchObject({
        status: 'erased',
        certificate: expect.any(String),
      })
    },
    { timeout: 60_000, interval: 1000 },
  )
  expect(await edge.sql("select 1 from users where subject = 'leaver'")).toEqual([])
}, 120_000)

test('an export is a row of the audit trail, in the trail of its user', async () => {
  await edge.link('exporter')
  const read = async () =>
    await edge.sql(
      `select l.actor_kind, l.target_kind, l.target_id, p.person from audit_log l
        join audit_people p on p.audit_id = l.id and p.part = 'owner' where l.action = 'data_exported'`,
    )
  expect(await read()).toEqual([])
  const { text } = await edge.as('exporter')('GET', '/api/v1/privacy/export')
  expect(text.trimEnd().split('\n').at(-1)).toContain('"complete":true')
  const [row, ...others] = await read()
  expect(others).toEqual([])
  expect(row).toEqual({
    actor_kind: 'user',
    target_kind: 'person',
    target_id: null,
    person: expect.stringContaining('exporter'),
  })
})
