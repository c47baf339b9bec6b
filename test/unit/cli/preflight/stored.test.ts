// The keys of stored secrets and the age of the newest backup, in a real database.
import { afterEach, describe, expect, it } from 'vitest'
import { runInProject } from '../../../../src/cli/preflight/ports.ts'
import { key, recipient } from '../../config/variables.ts'
import { portsWith } from './ports.ts'
import { useTlsDatabase, withVariables } from './tls-database.ts'

const { get, check, withSecrets, sql } = useTlsDatabase()

describe('what is stored', () => {
  const user = `INSERT INTO users (issuer, subject) VALUES ('preflight', 'ada') ON CONFLICT DO NOTHING`
  const itemUnder = (id: string) =>
    `INSERT INTO items (user_id, plaid_item_id, access_token_sealed)
      SELECT id, 'item-${id}', 'wn1.${id}.x' FROM users WHERE subject = 'ada'`

  afterEach(() => sql('DELETE FROM items', 'DELETE FROM backups', 'DELETE FROM users'))

  it('passes where the configured keys are those of all stored secrets', async () => {
    await sql(user, itemUnder('k1'), itemUnder('k2'))
    const keys = { ENCRYPTION_KEYS_PREVIOUS: JSON.stringify({ k2: key('second') }) }
    expect(await check('encryption keys', withSecrets(keys))).toMatchObject({
      status: 'pass',
      said: 'the configured keys open all 2 stored secrets, by their ids',
    })
  })

  it('fails where a key would not be configured', async () => {
    await sql(user, itemUnder('k1'), itemUnder('k9'))
    expect(await check('encryption keys')).toMatchObject({
      status: 'fail',
      said: '1 stored secrets need the key k9, which would not be configured',
    })
  })

  it('fails where ENCRYPTION_MIN_KEY_ID would strand a row', async () => {
    await sql(user, itemUnder('k1'))
    const keys = { ENCRYPTION_KEYS_PREVIOUS: JSON.stringify({ k1: key('first') }) }
    const variables = withVariables({ ENCRYPTION_KEY_ID: 'k2', ENCRYPTION_MIN_KEY_ID: 'k2' })
    expect(await check('encryption keys', { ...variables, ...withSecrets(keys) })).toMatchObject({
      status: 'fail',
      said: '1 stored secrets need the key k1, which is below ENCRYPTION_MIN_KEY_ID',
    })
  })

  it('says that it is unknown where the previous keys are at Cloudflare alone', async () => {
    await sql(user, itemUnder('k9'))
    const cloudflare = { ...portsWith().cloudflare, secretNames: () => Promise.resolve(['ENCRYPTION_KEYS_PREVIOUS']) }
    expect(await check('encryption keys', { cloudflare })).toMatchObject({
      status: 'warn',
      said: expect.stringContaining('unknown: 1 stored secrets need the key k9'),
    })
  })

  it('fails where the previous keys are no JSON', async () => {
    expect(await check('encryption keys', withSecrets({ ENCRYPTION_KEYS_PREVIOUS: '{"k1"' }))).toMatchObject({
      status: 'fail',
      said: 'ENCRYPTION_KEYS_PREVIOUS is not a JSON object of id to key',
    })
  })

  it('needs no backup without users', async () => {
    expect(await check('backup')).toMatchObject({ status: 'pass', said: 'the database has no users yet' })
  })

  const stored = (hours: number, state = 'complete') =>
    `INSERT INTO backups (id, place, state, started_at, finished_at)
      VALUES ('20261129T021100Z-0000000${hours % 10}', 'bucket', '${state}', now() - interval '${hours} hours', now())`

  it('passes with a backup younger than a day', async () => {
    await sql(user, stored(23))
    expect(await check('backup')).toMatchObject({ status: 'pass', said: 'the newest is 23 hours old' })
  })

  it.each<[string, string[], string]>([
    ['is too old', [stored(25)], 'the newest is 25 hours old'],
    ['did not end', [stored(1, 'running')], 'there is none'],
    ['failed', [stored(1, 'failed')], 'there is none'],
    ['does not exist', [], 'there is none'],
  ])('fails where the backup %s', async (_what, rows, said) => {
    await sql(user, ...rows)
    expect(await check('backup')).toMatchObject({
      status: 'fail',
      said,
      remedy: expect.stringContaining('--backup-to'),
    })
  })

  it('does not know of backups that are made elsewhere', async () => {
    await sql(user)
    expect(await check('backup', withVariables({ BACKUP_RECIPIENT: 'none' }))).toMatchObject({ status: 'warn' })
  })

  it('takes a backup where it may, which the next run then sees', { timeout: 60_000 }, async () => {
    await sql(user)
    const mayTake = { ...withVariables({ BACKUP_RECIPIENT: recipient }), backupTo: get().folder, run: runInProject }
    expect(await check('backup', mayTake)).toMatchObject({
      status: 'pass',
      said: expect.stringMatching(/^there is none, so one was taken: .*tables, rows: \d+/),
    })
    expect(await check('backup')).toMatchObject({ status: 'pass', said: 'the newest is 0 hours old' })
  })

  it('fails where the backup cannot be taken', async () => {
    await sql(user)
    const run = () => Promise.resolve({ code: 1, output: 'The disk is full.' })
    expect(await check('backup', { backupTo: get().folder, run })).toMatchObject({
      status: 'fail',
      said: 'there is none, and taking one failed: The disk is full.',
    })
  })
})
