// Checks of what the database holds: that the new keys open every stored secret, and that a fresh backup exists.
import type { Client } from 'pg'
import * as z from 'zod'
import { isKeyIdBelow } from '../../crypto/keyring.ts'
import { backupProgram } from '../lib/backup-program.ts'
import { type Check, fail, pass, type Verdict, warn } from '../lib/checks.ts'
import { connected, ownerUrlOf } from './database.ts'
import type { PreflightPorts } from './ports.ts'

const columnRows = z.array(z.object({ place: z.string(), name: z.string() }))
const keyRows = z.array(z.object({ id: z.string(), count: z.coerce.number() }))
const previousKeys = z.record(z.string(), z.string())

/** Every column of sealed values: `wn1.<key id>.…`. */
const sealedColumns = `
  SELECT format('%I.%I', table_schema, table_name) AS place, quote_ident(column_name) AS name
    FROM information_schema.columns WHERE column_name LIKE '%\\_sealed' AND table_schema IN ('public', 'identity')
   ORDER BY 1, 2`

async function storedKeys(client: Client): Promise<Map<string, number>> {
  const columns = columnRows.parse((await client.query(sealedColumns)).rows)
  const counts = new Map<string, number>()
  for (const { place, name } of columns) {
    const { rows } = await client.query(
      `SELECT split_part(${name}, '.', 2) AS id, count(*) AS count FROM ${place} WHERE ${name} <> '' GROUP BY 1`,
    )
    for (const { id, count } of keyRows.parse(rows)) counts.set(id, (counts.get(id) ?? 0) + count)
  }
  return counts
}

/** The ids of the keys that the new configuration has; null if its previous keys are not known here. */
function configuredKeys({ config, secrets }: PreflightPorts): { ids: string[]; minimum: string | null } | string {
  const values = { ...config.variables, ...secrets }
  const previous = z
    .string()
    .transform((text, context) => {
      try {
        return previousKeys.parse(JSON.parse(text))
      } catch {
        context.addIssue('not a JSON object of id to key')
        return z.NEVER
      }
    })
    .safeParse(values['ENCRYPTION_KEYS_PREVIOUS'] || '{}')
  if (!previous.success) return 'ENCRYPTION_KEYS_PREVIOUS is not a JSON object of id to key'
  return {
    ids: [values['ENCRYPTION_KEY_ID'] || 'k1', ...Object.keys(previous.data)],
    minimum: values['ENCRYPTION_MIN_KEY_ID'] || null,
  }
}

const encryptionKeys: Check<PreflightPorts> = {
  name: 'encryption keys',
  async check(ports) {
    const owner = ownerUrlOf(ports)
    if ('verdict' in owner) return owner.verdict
    const configured = configuredKeys(ports)
    if (typeof configured === 'string') return fail(configured, 'docs/deployment.md, Encryption keys.')
    const { ids, minimum } = configured
    const stored = await connected(owner.url, storedKeys)
    const stranded = [...stored].filter(([id]) => !ids.includes(id) || (minimum !== null && isKeyIdBelow(id, minimum)))
    const unseen = (await ports.cloudflare.secretNames())?.includes('ENCRYPTION_KEYS_PREVIOUS') ?? false
    if (stranded.length > 0) {
      const said = stranded.map(([id, count]) => `${count} stored secrets need the key ${id}`).join('; ')
      const isBelow = stranded.every(([id]) => minimum !== null && isKeyIdBelow(id, minimum))
      if (!isBelow && unseen && ports.secrets['ENCRYPTION_KEYS_PREVIOUS'] === undefined)
        return warn(`unknown: ${said}, and ENCRYPTION_KEYS_PREVIOUS was not seen`, 'Run it where the secrets file is.')
      return fail(
        `${said}, which ${isBelow ? 'is below ENCRYPTION_MIN_KEY_ID' : 'would not be configured'}`,
        'Keep that key in ENCRYPTION_KEYS_PREVIOUS until `npm run keys -- status` prints no secrets of other keys.',
      )
    }
    const count = [...stored.values()].reduce((sum, one) => sum + one, 0)
    return pass(`the configured keys open all ${count} stored secrets, by their ids`)
  },
}

const dayMs = 86_400_000
const stateRows = z.tuple([z.object({ users: z.boolean(), newest: z.date().nullable() })])

/** The time of the newest complete backup, or what there is instead. */
async function newestBackup(url: string): Promise<Date | 'not migrated' | 'no users' | null> {
  return await connected(url, async (client) => {
    const { rows: tables } = await client.query(
      `SELECT to_regclass('public.backups') IS NOT NULL AND to_regclass('public.users') IS NOT NULL AS there`,
    )
    if (!z.tuple([z.object({ there: z.boolean() })]).parse(tables)[0].there) return 'not migrated'
    const { rows } = await client.query(
      `SELECT EXISTS (SELECT 1 FROM users) AS users,
        (SELECT max(started_at) FROM backups WHERE state = 'complete') AS newest`,
    )
    const [{ users, newest }] = stateRows.parse(rows)
    return newest ?? (users ? null : 'no users')
  })
}

const backupVariables = ['AUDIT_KEY', 'AUDIT_KEY_ID', 'AUDIT_KEYS_PREVIOUS', 'BACKUP_RECIPIENT', 'SECRET_KEY'] as const

async function takeBackup({ config, secrets, shell, run, backupTo }: PreflightPorts, was: string): Promise<Verdict> {
  if (backupTo === null)
    return fail(was, 'Take one: give --backup-to FOLDER, or run `npm run backup -- create --to FOLDER`.')
  const values: Record<string, string | undefined> = { ...config.variables, ...secrets, ...shell }
  const variables = Object.fromEntries(
    backupVariables.flatMap((name): [string, string][] => (values[name] === undefined ? [] : [[name, values[name]]])),
  )
  const url = shell['MIGRATE_DATABASE_URL'] ?? ''
  const { code, output } = await run(process.execPath, [...backupProgram, 'create', '--to', backupTo], {
    ...variables,
    MIGRATE_DATABASE_URL: url,
  })
  if (code !== 0)
    return fail(`${was}, and taking one failed: ${output}`, 'Take one by hand: `npm run backup -- create`.')
  return pass(`${was}, so one was taken: ${output}`)
}

const backup: Check<PreflightPorts> = {
  name: 'backup',
  async check(ports) {
    const owner = ownerUrlOf(ports)
    if ('verdict' in owner) return owner.verdict
    const newest = await newestBackup(owner.url)
    if (newest === 'not migrated') return pass('the database has no tables yet')
    if (newest === 'no users') return pass('the database has no users yet')
    if (newest === null && ports.config.variables['BACKUP_RECIPIENT'] === 'none' && ports.backupTo === null)
      return warn(
        'unknown: BACKUP_RECIPIENT is none, so backups are made elsewhere',
        'Look whether the newest one is younger than a day, and was restored once.',
      )
    const ageMs = newest === null ? Infinity : ports.now().getTime() - newest.getTime()
    const age = newest === null ? 'there is none' : `the newest is ${Math.floor(ageMs / 3_600_000)} hours old`
    return ageMs < dayMs ? pass(age) : await takeBackup(ports, age)
  },
}

export const storedChecks: readonly Check<PreflightPorts>[] = [encryptionKeys, backup]
