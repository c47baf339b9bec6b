// For administrators: applications, and the API keys of everyone.
import * as z from 'zod'
import { createApplicationKey } from '../../../applications/create-key.ts'
import { createApplication } from '../../../applications/create-application.ts'
import { requireApiKeys } from '../../../applications/require-api-keys.ts'
import { audit } from '../../../audit/audit.ts'
import { keyScopes } from '../../../auth/key-scopes.ts'
import { type Application, listApplications } from '../../../db/applications/applications.ts'
import { listKeys, ownerOfKey, revokeKey } from '../../../db/applications/keys.ts'
import { AppError } from '../../../errors.ts'
import { idempotencyHeaders } from '../../idempotency-key.ts'
import { keyCursor, listResponse, pageBody, pageQuery } from '../../pagination.ts'
import { route } from '../../route.ts'
import { id, instant, line, timeText } from '../../schemas.ts'
import {
  adminKeySchema,
  adminKeyView,
  createdAdminKeySchema,
  createdAdminKeyView,
  inDays,
  keyFields,
} from './schemas.ts'

const tags = ['admin']
const applicationsPath = '/api/v1/admin/applications'
const keysPath = '/api/v1/admin/api-keys'

const applicationSchema = z
  .object({
    id,
    name: z.string(),
    issuer: z.string().describe('The issuer of the users for whom the keys of the application act.'),
    created_at: instant,
  })
  .meta({ id: 'Application' })

const applicationView = ({ createdAt, ...application }: Application): z.input<typeof applicationSchema> => ({
  ...application,
  created_at: timeText(createdAt),
})

const applicationBody = z
  .strictObject({
    name: line(100).describe('A name, by which people recognize the application.'),
    issuer: z
      .string()
      .max(255)
      .optional()
      .describe(
        'The issuer of its users: that of the identity provider (`AUTH_ISSUER`), so that a person is the same ' +
          'user with a token and with a key, or any other https URL. Without it, the application gets a ' +
          'separate issuer.',
      ),
  })
  .meta({ id: 'ApplicationRequest' })

const byCreation = keyCursor('applications', 'instant')

export const listApplicationsRoute = route({
  id: 'adminListApplications',
  keys: 'refused',
  method: 'GET',
  path: applicationsPath,
  summary: 'List applications',
  tags,
  access: 'admin',
  query: z.strictObject(pageQuery),
  answers: { 200: listResponse(applicationSchema, 'ApplicationList') },
  errors: ['invalid_cursor', 'not_found'],
}).handle(async (ctx, { query }) => {
  requireApiKeys(ctx)
  const page = await listApplications(ctx.services.jobs, query.limit, byCreation.read(query.cursor))
  return { status: 200, body: pageBody(page, byCreation, applicationView) }
})

export const createApplicationRoute = route({
  id: 'adminCreateApplication',
  keys: 'refused',
  audit: ['application_created'],
  method: 'POST',
  path: applicationsPath,
  summary: 'Create an application',
  tags,
  access: 'admin',
  limit: 'sensitive',
  body: applicationBody,
  answers: { 201: applicationSchema },
  errors: ['conflict', 'not_found'],
}).handle(async (ctx, { body }) => {
  const application = await createApplication(ctx, body.name, body.issuer ?? null)
  return { status: 201, body: applicationView(application) }
})

const keyBody = z
  .strictObject({
    ...keyFields,
    application_id: id.describe('The application for which the key acts.'),
    scopes: z.array(z.enum(keyScopes)).min(1).max(keyScopes.length).describe('What the key may do.'),
    expires_in_days: z
      .int()
      .min(1)
      .max(3660)
      .nullable()
      .default(null)
      .describe('The life of the key in days; null for a key that does not expire.'),
  })
  .meta({ id: 'ApiKeyRequest' })

const byKeyCreation = keyCursor('all_api_keys', 'instant')

export const listKeysRoute = route({
  id: 'adminListApiKeys',
  keys: 'refused',
  method: 'GET',
  path: keysPath,
  summary: 'List all API keys',
  tags,
  access: 'admin',
  query: z.strictObject({ ...pageQuery, application_id: id.optional().describe('Only keys of this application.') }),
  answers: { 200: listResponse(adminKeySchema, 'AdminApiKeyList') },
  errors: ['invalid_cursor', 'not_found'],
}).handle(async (ctx, { query }) => {
  requireApiKeys(ctx)
  const from = byKeyCreation.read(query.cursor)
  const page = await listKeys(ctx.services.jobs, query.application_id ?? null, query.limit, from)
  return { status: 200, body: pageBody(page, byKeyCreation, adminKeyView) }
})

export const createKeyRoute = route({
  id: 'adminCreateApiKey',
  keys: 'refused',
  audit: ['api_key_created'],
  event: 'api_key_creation',
  method: 'POST',
  path: keysPath,
  summary: 'Create an application key',
  tags,
  access: 'admin',
  limit: 'sensitive',
  headers: idempotencyHeaders,
  body: keyBody,
  answers: { 201: createdAdminKeySchema },
  errors: ['conflict', 'not_found'],
}).handle(async (ctx, { body, headers }) => {
  const { application_id: applicationId, expires_in_days: days, ...wish } = body
  const expiresAt = days === null ? null : inDays(ctx.now(), days)
  const requestKey = headers['idempotency-key'] ?? null
  const key = await createApplicationKey(ctx, applicationId, { ...wish, expiresAt, requestKey })
  return { status: 201, body: createdAdminKeyView(key) }
})

export const revokeKeyRoute = route({
  id: 'adminRevokeApiKey',
  keys: 'refused',
  audit: ['api_key_revoked'],
  event: 'api_key_revocation',
  method: 'DELETE',
  path: `${keysPath}/{id}`,
  summary: 'Revoke any API key',
  tags,
  access: 'admin',
  params: z.object({ id }),
  answers: { 204: null },
  errors: ['not_found'],
}).handle(async (ctx, { params }) => {
  requireApiKeys(ctx)
  const { jobs } = ctx.services
  const owner = await ownerOfKey(jobs, params.id)
  if (owner === null) throw new AppError('not_found', 'There is no such API key.')
  const ofUser = owner.userId === null ? {} : { owner: { userId: owner.userId } }
  const row = await audit(ctx, { action: 'api_key_revoked', target: params.id, ...ofUser })
  await revokeKey(jobs, params.id, row)
  return { status: 204 }
})
