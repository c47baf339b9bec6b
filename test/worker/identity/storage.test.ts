// What built-in accounts store in the database and write to the log, and which logins may read it.
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { forgotPassword } from '../../../src/identity/change-password.ts'
import { enrollTotp } from '../../../src/identity/manage-totp.ts'
import { refresh } from '../../../src/identity/refresh.ts'
import { register } from '../../../src/identity/register.ts'
import { type Accounts, createAccounts, fromBase32, goodPassword, refusal } from '../../support/accounts.ts'
import { query } from '../../support/sql.ts'
import { everyRow, everyTable } from '../../support/tables.ts'

let accounts: Accounts
beforeAll(async () => {
  accounts = await createAccounts(inject('control'))
})
afterAll(() => accounts.stop())

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** The encodings in which a table could contain a secret. */
function spellings(secret: string): string[] {
  return [secret, secret.replaceAll('-', '')].flatMap((text) => {
    const bytes = new TextEncoder().encode(text)
    return [text, hex(bytes), btoa(String.fromCharCode(...bytes)).replace(/=+$/, '')]
  })
}

it('no password, token or code is in any table or log line, in any spelling', async () => {
  const password = 'canary of a password 7'
  const first = await accounts.signUp('canary@example.com', password)
  const second = await refresh(accounts.ctx, first.refreshToken)
  const user = await accounts.as(second)
  const { secret } = await enrollTotp(user, password)
  const confirmed = await accounts.signUp('confirmed@example.com')
  const { recoveryCodes } = await accounts.addTotp(confirmed)
  await register(accounts.ctx, { email: 'pending@example.com', password })
  await forgotPassword(accounts.ctx, 'canary@example.com')
  const codes = accounts.mails.flatMap((mail) => ('code' in mail ? [mail.code] : []))
  expect(codes).toHaveLength(4)
  const tokens = [first, second].flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken])
  const halves = [first, second].flatMap(({ refreshToken }) => {
    const bytes = Uint8Array.from(atob(refreshToken.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
    return [hex(bytes), hex(bytes.slice(0, 16)), hex(bytes.slice(16))]
  })
  const secrets = [password, secret, ...tokens, ...codes, ...recoveryCodes].flatMap(spellings)
  const rows = await everyRow((text, params) => accounts.sql(text, params))
  expect(rows.some((row) => row.includes('canary@example.com'))).toBe(true)
  for (const found of [...secrets, ...halves, hex(fromBase32(secret))])
    for (const line of [...rows, ...accounts.lines]) expect(line.includes(found)).toBe(false)
})

it('no login of the Worker touches the tables, and only the one for accounts reaches the functions', async () => {
  const { database } = accounts
  const tables = (await everyTable((text, params) => accounts.sql(text, params))).filter((name) =>
    name.startsWith('identity.'),
  )
  expect(tables).toHaveLength(6)
  for (const url of [database.apiUrl, database.jobsUrl, database.identityUrl])
    for (const table of tables)
      for (const statement of [
        `select 1 from ${table}`,
        `delete from ${table}`,
        `insert into ${table} default values`,
        `truncate ${table}`,
      ])
        await expect(query(database.endpoint, url, statement)).rejects.toThrow(/permission denied/)
  const call = `select * from identity.begin_sign_in('x@example.com', null, '[]', '[]')`
  for (const url of [database.apiUrl, database.jobsUrl])
    await expect(query(database.endpoint, url, call)).rejects.toThrow(/permission denied/)
  expect(await query(database.endpoint, database.identityUrl, call)).toHaveLength(1)
})

it('the login that serves users can neither read a password hash nor set a password', async () => {
  await accounts.signUp('victim@example.com')
  const { endpoint, apiUrl } = accounts.database
  for (const call of [
    `select * from identity.begin_sign_in('victim@example.com', null, '[]', '[]')`,
    `select * from identity.forgot_password('victim@example.com', sha256('chosen'), 3600, '[]', '[]')`,
    `select identity.set_password_by_mail(sha256('chosen'), 'a hash of my own')`,
    `select identity.log_out_everywhere(gen_random_uuid(), gen_random_uuid())`,
  ])
    await expect(query(endpoint, apiUrl, call)).rejects.toThrow('permission denied for schema identity')
})

it('what functions do inside is for them alone', async () => {
  const granted = await accounts.sql(`select p.proname as name, p.prosecdef as definer,
    has_function_privilege('wn_identity', p.oid, 'execute') as identity,
    has_function_privilege('wn_api', p.oid, 'execute') or has_function_privilege('wn_jobs', p.oid, 'execute') as others,
    array_to_string(p.proconfig, ' ') as config from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'identity' order by 1`)
  const inner = ['absolve', 'add_session', 'admit', 'give_back', 'instant', 'is_alive', 'sweep', 'use_second_factor']
  const names = granted.filter(({ identity }) => identity === 'f').map(({ name }) => name)
  expect([...new Set(names)]).toEqual(inner)
  expect(granted.filter(({ others }) => others === 't')).toEqual([])
  expect(granted.every(({ definer, identity }) => definer === identity)).toBe(true)
  expect(granted.every(({ config }) => config === 'search_path=pg_catalog, pg_temp')).toBe(true)
})

it('expired rows are deleted over time, with new requests', async () => {
  const { ctx } = accounts
  for (let one = 0; one < 6; one += 1) {
    await register(ctx, { email: `left-${one}@example.com`, password: goodPassword })
    await forgotPassword(ctx, `left-${one}@example.com`)
  }
  await accounts.signUp('sessions@example.com')
  await accounts.age(31 * 24 * 3600)
  for (let turn = 0; turn < 3; turn += 1)
    expect(await refusal(accounts.signIn('nobody@example.com'))).toBe('invalid_credentials')
  const [left] = await accounts.sql(`select (select count(*) from identity.registrations) as registrations,
    (select count(*) from identity.password_resets) as resets, (select count(*) from identity.sessions) as sessions,
    (select count(*) from identity.throttles where expires_at < now()) as throttles`)
  expect(left).toEqual({ registrations: '0', resets: '0', sessions: '0', throttles: '0' })
})
