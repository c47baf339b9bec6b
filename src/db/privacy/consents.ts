// Decisions of users about the purposes for which their data are used.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type AuditRow, recorded } from '../audit/record.ts'
import type { ApiDatabase } from '../core/client.ts'
import { asNewUser, asUser, type Identity, me } from '../core/scope.ts'
import { query } from '../core/statement.ts'

const decisionRow = z.object({
  version: z.number(),
  linking_and_sync: z.boolean(),
  insights: z.boolean(),
  product_emails: z.boolean(),
  diagnostics: z.boolean(),
  decided_at: z.coerce.date(),
})
export type Decision = z.output<typeof decisionRow>

const shownVersions = 100

const newest = query(
  decisionRow,
  sql`select version, linking_and_sync, insights, product_emails, diagnostics, decided_at from consents
    where user_id = ${me} order by version desc limit ${shownVersions}`,
)

/** The newest decisions, newest first. */
export async function listDecisions(database: ApiDatabase, identity: Identity): Promise<readonly Decision[]> {
  const { decisions } = await asUser(database, identity, { decisions: newest })
  return decisions
}

const outcomeRow = z.object({ outcome: z.enum(['done', 'same', 'moved']) })

/** Stores decisions as the version after `version`, unless another one came meanwhile. */
export async function decide(
  database: ApiDatabase,
  identity: Identity,
  version: number,
  { linking_and_sync, insights, product_emails, diagnostics }: Omit<Decision, 'version' | 'decided_at'>,
  notAllowed: readonly string[],
  audit: AuditRow,
): Promise<{ readonly moved: boolean; readonly decisions: readonly Decision[] }> {
  const { outcome, decisions } = await asNewUser(database, identity, {
    outcome: query(
      outcomeRow,
      sql`select outcome, ${recorded(audit, sql`outcome = 'done'`)}
        from app.decide_consents(${version}::integer, ${linking_and_sync}, ${insights}, ${product_emails},
          ${diagnostics}, ${`{${notAllowed.join(',')}}`}::text[]) as decided(outcome)`,
    ),
    decisions: newest,
  })
  return { moved: outcome[0]?.outcome === 'moved', decisions }
}

const allowedRow = z.object({ allowed: z.boolean() })

/** Condition: the user of the transaction allows a purpose, or has not decided about it. */
export const allows = (purpose: string): SQL =>
  sql`not coalesce(${purpose}::text = any((select not_allowed from users where id = ${me})::text[]), false)`

const enteredRow = z.object({ id: z.string(), allowed: z.boolean() })

/** The id of a user who may be new, and whether they allow a purpose. */
export async function enterFor(
  database: ApiDatabase,
  identity: Identity,
  purpose: string,
): Promise<z.output<typeof enteredRow>> {
  const { entered } = await asNewUser(database, identity, {
    entered: query(enteredRow, sql`select ${me} as id, ${allows(purpose)} as allowed`),
  })
  const [user] = entered
  if (user === undefined) throw new TypeError('the database returned no user')
  return user
}

/** Whether the user allows a purpose, or has not decided about it. */
export async function isAllowed(database: ApiDatabase, identity: Identity, purpose: string): Promise<boolean> {
  const { found } = await asUser(database, identity, {
    found: query(allowedRow, sql`select ${allows(purpose)} as allowed`),
  })
  return found[0]?.allowed ?? true
}
