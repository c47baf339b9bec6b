// Readiness signs in as the login of the backups, where the Worker makes them.
import { expect, it } from 'vitest'
import type { Ctx } from '../../../src/context.ts'
import { checkBackupLogin } from '../../../src/db/operations/backup-login.ts'
import { readyRoute } from '../../../src/http/routes/system/health.ts'
import { ask } from '../../support/call-route.ts'
import { appErrorOf } from '../../support/item-lifecycle.ts'
import { cron, useBackups, world } from './backups.ts'

useBackups()

const ready = ({ services }: Pick<Ctx, 'services'>) => ask({ ...world.user('operator'), services }, readyRoute)
const check = (url: string) => checkBackupLogin(url, world.database.endpoint)

it('/ready is 200 with the login that reads every table and changes none', async () => {
  expect(await check(world.database.backupUrl)).toEqual({ ok: true, problems: [] })
  expect(await ready(cron())).toMatchObject({ checks: { backup_database: 'ok' } })
})

it('/ready does not check the login of backups where the Worker makes no backups', async () => {
  expect(world.services.config.backup).toBeNull()
  expect(await ready(world.job())).not.toHaveProperty('checks.backup_database')
})

it('/ready is 503 where the login of backups is another one, may write, or cannot sign in', async () => {
  const { problems } = await check(world.database.jobsUrl)
  expect(problems).toContain('The login lacks the rights of wn_backup.')
  expect(problems).toContain('The login has the rights of wn_jobs.')
  expect(problems).toContain('The login may change data.')
  const wrong = Object.assign(new URL(world.database.backupUrl), { password: 'another' }).href
  expect((await check(wrong)).ok).toBe(false)
  expect(await appErrorOf(ready(cron({ databaseUrl: wrong })))).toMatchObject({
    code: 'unavailable',
    reason: expect.stringContaining('wn_backup: '),
    extensions: { checks: { backup_database: 'failed', jobs_database: 'ok' } },
  })
})

it.each([
  ['may not read a table', []],
  [
    'may read a table, but a policy hides its rows',
    ['grant select on unread to wn_backup', 'alter table unread enable row level security'],
  ],
])('/ready is 503 where the login of backups %s', async (_what, statements) => {
  await world.sql('create table unread (id int)')
  try {
    for (const statement of statements) await world.sql(statement)
    expect(await check(world.database.backupUrl)).toEqual({
      ok: false,
      problems: ['The login does not see every row of public.unread.'],
    })
  } finally {
    await world.sql('drop table unread')
  }
})
