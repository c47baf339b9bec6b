// The Worker's database logins, connected to PostgreSQL without the Worker.
import { Client } from 'pg'
import * as z from 'zod'
import type { TestDatabase } from './stack.ts'

export const issuer = 'wealthnavigator-edge'
export const logins = ['wn_api', 'wn_jobs', 'wn_identity', 'wn_backup'] as const
export const insufficientPrivilege = '42501'

/** Schemas that are not PostgreSQL's. */
export const ours = `select oid from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'`

export interface LoginClients {
  readonly byLogin: Readonly<Record<(typeof logins)[number], Client>>
  end(): Promise<void>
}

export async function connectLogins({ apiUrl, jobsUrl, identityUrl, backupUrl }: TestDatabase): Promise<LoginClients> {
  const byLogin = {
    wn_api: new Client(apiUrl),
    wn_jobs: new Client(jobsUrl),
    wn_identity: new Client(identityUrl),
    wn_backup: new Client(backupUrl),
  }
  const all = Object.values(byLogin)
  await Promise.all(all.map((client) => client.connect()))
  // The login could do the same. Only its rights count.
  await byLogin.wn_backup.query('set default_transaction_read_only = off')
  return {
    byLogin,
    async end() {
      await Promise.all(all.map((client) => client.end()))
    },
  }
}

export interface Outcome {
  readonly rows: readonly Record<string, unknown>[]
  readonly count: number
  /** The SQLSTATE of a refusal. */
  readonly refusal: string | null
}

/** Runs one statement in a separate transaction, after `app.enter` if a subject is given, and rolls it back. */
export async function attempt(
  client: Client,
  subject: string | null,
  text: string,
  params: unknown[] = [],
): Promise<Outcome> {
  await client.query('begin')
  try {
    if (subject !== null) await client.query('select app.enter($1, $2, false)', [issuer, subject])
    const { rows, rowCount } = await client.query<Record<string, unknown>>(text, params)
    return { rows, count: rowCount ?? 0, refusal: null }
  } catch (error) {
    const { code } = z.object({ code: z.string() }).parse(error)
    return { rows: [], count: 0, refusal: code }
  } finally {
    await client.query('rollback')
  }
}
