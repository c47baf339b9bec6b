// For administrators: what an id names. The id is in the body and not in the address, because it may be a link token; a token is
// looked up by its digest, and is not logged.
import * as z from 'zod'
import { audit, recordAlone } from '../../../audit/audit.ts'
import type { Ctx, User } from '../../../context.ts'
import { tokenDigest } from '../../../custody/link-token.ts'
import { type Found, foundKinds } from '../../../db/operations/search.ts'
import { route } from '../../route.ts'
import { id, instant, line, timeTextOrNull } from '../../schemas.ts'

const routeId = 'adminSearch'

const isToken = (text: string): boolean => /^(?:link|public)-/.test(text)
/** Access tokens are never sent here, and are stored in no form that could be looked up. */
const isSecret = (text: string): boolean => /^(?:access-|secret-|eyJ|wn_|whsec_)/.test(text)

const foundSchema = z
  .object({
    kind: z.enum(foundKinds),
    id: z.string(),
    item_id: id.nullable(),
    user_id: id.nullable(),
    at: instant.nullable(),
    see: z.string().nullable(),
  })
  .meta({ id: 'FoundId' })

function routeOf({ kind, id: foundId, itemId, userId }: Found): string | null {
  if (kind === 'user') return `/api/v1/admin/items?user_id=${foundId}`
  if (kind === 'dead_letter') return '/api/v1/admin/dead-letters'
  if (kind === 'audit_row') return '/api/v1/admin/audit'
  if (kind === 'delivery') return `/api/v1/admin/webhooks/deliveries/${foundId}`
  if (itemId !== null) return `/api/v1/admin/items/${itemId}/timeline`
  return userId === null ? null : `/api/v1/admin/items?user_id=${userId}`
}

const foundView = (found: Found): z.input<typeof foundSchema> => ({
  kind: found.kind,
  id: found.id,
  item_id: found.itemId,
  user_id: found.userId,
  at: timeTextOrNull(found.at),
  see: routeOf(found),
})

/** The search, and for each user that it found a row in that user's trail. */
async function recordSearch(ctx: Ctx<User>, found: readonly Found[]): Promise<void> {
  const users = new Set(found.flatMap(({ userId }) => (userId === null ? [] : [userId])))
  const owners = users.size === 0 ? [{}] : [...users].map((userId) => ({ owner: { userId } }))
  for (const owner of owners)
    await recordAlone(ctx, await audit(ctx, { action: 'admin_read', target: routeId, ...owner }))
}

export const searchRoute = route({
  id: routeId,
  audit: ['admin_read'],
  event: 'admin_read',
  method: 'POST',
  path: '/api/v1/admin/search',
  summary: 'Find what an id names',
  tags: ['admin'],
  access: 'admin',
  // It finds, and changes nothing.
  isRead: true,
  body: z.strictObject({
    id: line(400)
      .transform((text) => text.trim())
      .pipe(line(400))
      .refine((text) => !isSecret(text), { error: 'Must not be a secret.' }),
  }),
  answers: { 200: z.object({ data: z.array(foundSchema) }).meta({ id: 'FoundIds' }) },
  errors: [],
}).handle(async (ctx, { body }) => {
  const { findById, findByTokenDigest } = await import('../../../db/operations/search.ts')
  const { jobs } = ctx.services
  const found = isToken(body.id)
    ? await findByTokenDigest(jobs, await tokenDigest(body.id))
    : await findById(jobs, body.id)
  await recordSearch(ctx, found)
  return { status: 200, body: { data: found.map(foundView) } }
})
