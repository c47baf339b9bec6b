// For administrators: the audit trail of all users and of the system.
import * as z from 'zod'
import { auditActions } from '../../../audit/actions.ts'
import { type AuditState, readAuditState } from '../../../audit/last-verification.ts'
import { actorKinds, splitPerson } from '../../../audit/signed-row.ts'
import { type AuditLogRow, listAudit } from '../../../db/read/audit.ts'
import { keyCursor, listResponse, pageBody, pageQuery } from '../../pagination.ts'
import { route } from '../../route.ts'
import { dayRange, id, inOrder, instant, line, timeText, timeTextOrNull } from '../../schemas.ts'
import { auditRowSchema, auditRowView } from '../audit.ts'

const person = z.object({ issuer: z.string(), subject: z.string() }).nullable()

const adminRowSchema = auditRowSchema
  .extend({
    client_request_id: z.string().nullable(),
    network: z.string().nullable(),
    acted_by: person,
    user: person,
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

const faultSchema = z
  .object({
    what: z.string(),
    audit_id: id.nullable(),
    chain: id.nullable(),
    number: z.int().nullable(),
    checkpoint: z.int().nullable(),
  })
  .meta({ id: 'AuditFault' })

const verificationSchema = z
  .object({
    last: z
      .object({
        verified_at: instant,
        valid: z.boolean(),
        rows: z.int(),
        chains: z.int(),
        waiting: z.int(),
        checkpoint: z.string().nullable(),
        fault: faultSchema.nullable(),
      })
      .nullable(),
    waiting: z.int(),
    waiting_since: instant.nullable(),
  })
  .meta({ id: 'AuditVerification' })

const verificationView = ({ last, waiting }: AuditState): z.input<typeof verificationSchema> => ({
  last:
    last === null
      ? null
      : {
          verified_at: timeText(last.at),
          valid: last.fault === null,
          rows: last.rows,
          chains: last.chains,
          waiting: last.unchained,
          checkpoint: last.checkpoint,
          fault:
            last.fault === null
              ? null
              : {
                  what: last.fault.what,
                  audit_id: last.fault.auditId ?? null,
                  chain: last.fault.chain ?? null,
                  number: last.fault.number ?? null,
                  checkpoint: last.fault.checkpoint ?? null,
                },
        },
  waiting: waiting.count,
  waiting_since: timeTextOrNull(waiting.oldestAt),
})

export const auditVerificationRoute = route({
  id: 'adminGetAuditVerification',
  method: 'GET',
  path: '/api/v1/admin/audit/verify',
  summary: 'Get the last verification',
  tags: ['admin'],
  access: 'admin',
  answers: { 200: verificationSchema },
  errors: [],
}).handle(async (ctx) => ({ status: 200, body: verificationView(await readAuditState(ctx)) }))
