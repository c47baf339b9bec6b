// Endpoints that a job disables, and the deliveries that they will not get.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { type AuditRow, recorded } from '../audit/record.ts'
import { batch, type JobsDatabase } from '../core/client.ts'
import { idRow, query } from '../core/statement.ts'

/** An application without a valid key gets nothing: its last key was revoked, or has expired. */
export const hasKey = sql.raw(`(e.application_id is null or exists (select 1 from api_keys k
  where k.application_id = e.application_id and k.revoked_at is null and coalesce(k.expires_at > now(), true)))`)

/** Ends pending deliveries of disabled endpoints: their owners can replay them. Returns how many. */
export async function failOfDisabled(jobs: JobsDatabase, limit: number): Promise<number> {
  const { failed } = await batch(jobs, {
    failed: query(
      idRow,
      sql`update webhook_deliveries set state = 'failed', last_error = coalesce(last_error, 'endpoint_disabled'),
          data = data - 'subject'
        where id = any(array(select d.id from webhook_endpoints e join webhook_deliveries d on d.endpoint_id = e.id
          where e.state = 'disabled' and d.state = 'pending' limit ${limit})) returning id`,
    ),
  })
  return failed.length
}

const endedRow = z
  .object({ id: z.string(), user_id: z.string().nullable(), application_id: z.string().nullable() })
  .transform((row) => ({ id: row.id, userId: row.user_id, applicationId: row.application_id }))
export type EndedEndpoint = z.output<typeof endedRow>

/** Failing endpoints with more pending deliveries than the limit of their owner. */
export async function listBehind(
  jobs: JobsDatabase,
  most: { readonly user: number; readonly many: number },
): Promise<readonly EndedEndpoint[]> {
  const { found } = await batch(jobs, {
    found: query(
      endedRow,
      sql`select e.id, e.user_id, e.application_id from webhook_endpoints e
        where e.state = 'enabled' and e.failing_since is not null
        and exists (select 1 from webhook_deliveries d where d.endpoint_id = e.id and d.state = 'pending'
          offset case when e.user_id is null then ${most.many}::int else ${most.user}::int end limit 1)
        order by e.id limit 100`,
    ),
  })
  return found
}

/** Endpoints of applications without a valid key. */
export async function listKeyless(jobs: JobsDatabase): Promise<readonly EndedEndpoint[]> {
  const { found } = await batch(jobs, {
    found: query(
      endedRow,
      sql`select e.id, e.user_id, e.application_id from webhook_endpoints e
        where e.application_id is not null and e.state <> 'disabled' and not ${hasKey} order by e.id limit 100`,
    ),
  })
  return found
}

/** Why a job disables an endpoint, and what must still be true. */
const grounds = {
  behind: sql.raw(`state = 'enabled' and failing_since is not null`),
  no_key: sql`not ${hasKey}`,
} as const

/** Disables an endpoint for which the reason is still true. */
export async function disableEndpoint(
  jobs: JobsDatabase,
  id: string,
  reason: keyof typeof grounds,
  audit: AuditRow,
): Promise<void> {
  await batch(jobs, {
    disabled: query(
      idRow,
      sql`update webhook_endpoints e set state = 'disabled', disabled_reason = ${reason}, updated_at = now()
        where id = ${id} and state <> 'disabled' and ${grounds[reason]} returning id, ${recorded(audit)}`,
    ),
  })
}
