// The freeze: one switch that stops all writes and all calls of Plaid. PostgreSQL refuses the writes itself, by a
// trigger of each table, so it costs no round trip and no statement can forget it.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { type AuditRow, recordAudit } from '../audit/record.ts'
import { batch, type JobsDatabase } from '../core/client.ts'
import { command, query, type Statement } from '../core/statement.ts'

/**
 * `off`: everything runs · `recovery`: only rotations of access tokens run · `frozen`: nothing is written, and Plaid is
 * not called · `locked`: the same, and only the owner of the database can change it
 */
export const freezeStates = ['off', 'recovery', 'frozen', 'locked'] as const
export type FreezeState = (typeof freezeStates)[number]

export interface Freeze {
  readonly state: FreezeState
  readonly changedAt: string | null
}

const freezeRow = z
  .object({ state: z.enum(freezeStates), changed_at: z.string() })
  .transform((row): Freeze => ({ state: row.state, changedAt: new Date(row.changed_at).toISOString() }))

const isFreeze = sql`name = 'freeze'`
const columns = sql`state, to_char(changed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as changed_at`
const selectFreeze = () => query(freezeRow, sql`select ${columns} from safety_switches where ${isFreeze}`)

/** A missing switch counts as `frozen`, as it does for the triggers. */
export async function readFreeze(jobs: JobsDatabase): Promise<Freeze> {
  const { found } = await batch(jobs, { found: selectFreeze() })
  return found[0] ?? { state: 'frozen', changedAt: null }
}

/**
 * Changes the state and records the audit row; neither if it is the state already. Returns the state afterwards;
 * `locked` stays what it is.
 */
export async function setFreeze(
  jobs: JobsDatabase,
  state: Exclude<FreezeState, 'locked'>,
  row: AuditRow,
): Promise<Freeze> {
  const changes = sql`${isFreeze} and state not in (${state}, 'locked')`
  const { found } = await batch(jobs, {
    // Of two requests at once, the second sees what the first one set.
    locked: command(sql`select 1 from safety_switches where ${isFreeze} for no key update`),
    recorded: recordAudit(row, sql`exists (select 1 from safety_switches where ${changes})`),
    changed: command(sql`update safety_switches set state = ${state}, changed_at = now() where ${changes}`),
    found: selectFreeze(),
  })
  return found[0] ?? { state: 'frozen', changedAt: null }
}

const pass = (name: 'recovery' | 'always'): Statement =>
  command(sql`select set_config('app.freeze_pass', ${name}, true)`)

/** Lets the following writes of the batch run in the state `recovery`. */
export const duringRecovery = pass('recovery')
/**
 * Lets the following writes of the batch run in every state: they record what Plaid has done already, which would be
 * lost, or seal the same secrets again.
 */
export const duringFreeze = pass('always')
