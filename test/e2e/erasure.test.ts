// The rights of a person over HTTP, while Plaid is down, and what the audit trail has of them. Runs the commands of the pages
// about privacy, retention and security as they are written.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { readCommands, type RunOptions } from '../support/documented-commands.ts'
import { type Edge, expectStatus, startEdge } from '../support/edge.ts'
import { goodClaims, mintToken } from '../support/tokens.ts'

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

/** Runs a command of a page with the operator's values. Returns what it prints. */
async function runDocumented(page: string, command: string, values: RunOptions['values'] = {}): Promise<string> {
  const { SECRET_KEY: secret = '', AUDIT_KEY: auditKey = '' } = edge.variables
  const commands = await readCommands(page)
  const { code, output } = await commands.run(command, {
    values: { 'https://api.example.com': edge.url, ...values },
    env: {
      MIGRATE_DATABASE_URL: edge.database.ownerUrl,
      ADMIN_TOKEN: mintToken({ secret, claims: { ...goodClaims('operator'), role: 'admin' } }),
      AUDIT_KEY: auditKey,
      SECRET_KEY: secret,
    },
  })
  expect([command, code, code === 0 ? '' : output]).toEqual([command, 0, ''])
  return output
}

test('the commands of the page about privacy verify a certificate', async () => {
  await edge.as('certified')('GET', '/api/v1/plaid/items')
  const answer = expectStatus(await edge.as('certified')('POST', '/api/v1/privacy/erase', { body: {} }), 200)
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-certificate-'))
  try {
    const [good, changed] = [join(folder, 'good'), join(folder, 'changed')]
    const { certificate } = erasureSchema.parse(answer.json())
    await writeFile(good, answer.text)
    await writeFile(changed, String(certificate).replace(/.{6}$/, 'AAAAAA'))
    const command = 'npm run -s erasure -- verify FILE'
    expect(await runDocumented('docs/privacy.md', command, { FILE: good })).toContain('"key_id"')
    await expect(runDocumented('docs/privacy.md', command, { FILE: changed })).rejects.toThrow('to deeply equal')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('the commands of the page about retention show what is due, and delete it', async () => {
  await edge.sql(`insert into dead_letters (queue, message_id, reason, payload, created_at)
    values ('q', 'old', 'r', '{}', now() - interval '31 days'), ('q', 'new', 'r', '{}', now() - interval '29 days')`)
  const page = 'docs/retention.md'
  const due = async () =>
    /^dead_letters: (\d+) rows/m.exec(
      await runDocumented(page, 'npm run retention -- plan --url https://api.example.com'),
    )?.[1]
  expect(await due()).toBe('1')
  expect(await runDocumented(page, 'npm run retention -- run --url https://api.example.com')).toContain(
    'dead_letters: 1 rows deleted',
  )
  expect(await due()).toBe('0')
  expect(await edge.sql("select message_id from dead_letters where queue = 'q'")).toEqual([{ message_id: 'new' }])
})

test('the commands of the page about security find an account in the log, and verify the audit trail', async () => {
  const page = 'docs/security.md'
  const command = 'npm run -s pseudonym -- account EMAIL'
  const printed = await runDocumented(page, command, { EMAIL: 'person@example.com' })
  expect(printed.trim()).toMatch(/^[\w-]{8,}$/)
  expect(await runDocumented(page, command, { EMAIL: 'other@example.com' })).not.toBe(printed)
  expect(await runDocumented(page, 'npm run audit -- verify')).toContain('valid: ')
})
