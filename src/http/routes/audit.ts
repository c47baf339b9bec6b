// The audit trail of the user who asks.
import * as z from 'zod'
import { listOwnAudit, type OwnAuditRow } from '../../db/read/audit.ts'
import { keyCursor, listResponse, pageBody, pageQuery } from '../pagination.ts'
import { route } from '../route.ts'
import { id, instant, timeText } from '../schemas.ts'

export const auditRowSchema = z
  .object({
    id,
    at: instant,
    actor: z.string().describe('Who acted: `user`, `admin`, `anonymous`, `webhook`, `cron`, `queue` or `command`.'),
    action: z.string(),
    target_kind: z.string(),
    target_id: z.string().nullable(),
    api_key: z
      .string()
      .nullable()
      .describe(
        'The first characters of the API key with which it was done, also by a token of the key; null without a key, and after an erasure.',
      ),
    request_id: z.string().describe('The `X-Request-Id` of the response, or the id of the job.'),
  })
  .meta({ id: 'AuditRow' })

export const auditRowView = (row: OwnAuditRow): z.input<typeof auditRowSchema> => ({
  id: row.id,
  at: timeText(row.at),
  actor: row.actorKind,
  action: row.action,
  target_kind: row.targetKind,
  target_id: row.targetId,
  api_key: row.apiKey,
  request_id: row.requestId,
})

const byTime = keyCursor('audit', 'instant')

export const listOwnAuditRoute = route({
  id: 'listAudit',
  method: 'GET',
  path: '/api/v1/audit',
  summary: 'List the audit trail',
  tags: ['privacy'],
  access: 'user',
  query: z.strictObject(pageQuery),
  answers: { 200: listResponse(auditRowSchema, 'AuditRowList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services, actor }, { query }) => {
  const page = await listOwnAudit(services.api, actor.identity, query.limit, byTime.read(query.cursor))
  return { status: 200, body: pageBody(page, byTime, auditRowView) }
})
