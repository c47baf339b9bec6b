// For administrators: the audit trail of all users and of the system.
import * as z from 'zod'
import { auditActions } from '../../../audit/actions.ts'
import { actorKinds, splitPerson } from '../../../audit/signed-row.ts'
import { type AuditLogRow, listAudit } from '../../../db/read/audit.ts'
import { keyCursor, listResponse, pageBody, pageQuery } from '../../pagination.ts'
import { route } from '../../route.ts'
import { dayRange, id, inOrder, line } from '../../schemas.ts'
import { auditRowSchema, auditRowView } from '../audit.ts'

const person = z.object({ issuer: z.string(), subject: z.string() }).nullable()

const adminRowSchema = auditRowSchema
  .extend({
    client_request_id: z.string().nullable().describe('The `X-Request-Id` that the client sent.'),
    network: z.string().nullable().describe('A pseudonym of the client’s network, as in the log.'),
    acted_by: person.describe('The person who acted; null for a job, and after an erasure.'),
    user: person.describe('The person whose trail contains the row; null for the system’s, and after an erasure.'),
  })
  .meta({ id: 'AdminAuditRow' })

const adminRowView = (row: AuditLogRow): z.input<typeof adminRowSchema> => ({
  ...auditRowView(row),
  client_request_id: row.correlationId,
  network: row.network,
  acted_by: row.actor === null ? null : splitPerson(row.actor),
  user: row.owner === null ? null : splitPerson(row.owner),
})

const byTime = keyCursor('admin_audit', 'instant')

export const listAllAuditRoute = route({
  id: 'adminListAudit',
  method: 'GET',
  path: '/api/v1/admin/audit',
  summary: 'List audit rows of all users',
  tags: ['admin'],
  access: 'admin',
  query: z
    .strictObject({
      ...pageQuery,
      ...dayRange,
      user_id: id.optional(),
      actor: z.enum(actorKinds).optional(),
      action: z.literal(Object.keys(auditActions)).optional(),
      target_id: line(200).optional(),
    })
    .check(inOrder()),
  answers: { 200: listResponse(adminRowSchema, 'AdminAuditRowList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services }, { query }) => {
  const { user_id: userId, actor: actorKind, action, target_id: targetId, from, to } = query
  const filters = { userId, actorKind, action, targetId, from, to }
  const page = await listAudit(services.jobs, filters, query.limit, byTime.read(query.cursor))
  return { status: 200, body: pageBody(page, byTime, adminRowView) }
})
