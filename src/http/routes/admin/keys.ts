// For administrators: the encryption keys that the stored secrets need, and their rotation.
import * as z from 'zod'
import type { Ctx } from '../../../context.ts'
import { listKeys } from '../../../keys/list-keys.ts'
import { startKeyRotation } from '../../../keys/rotate-keys.ts'
import { route } from '../../route.ts'

const tags = ['admin']

const keysSchema = z
  .object({
    current_key_id: z.string(),
    keys: z.array(z.object({ id: z.string(), readable: z.boolean(), values: z.record(z.string(), z.int()) })),
    remaining: z.int(),
  })
  .meta({ id: 'EncryptionKeys' })

async function keysBody(ctx: Ctx): Promise<z.input<typeof keysSchema>> {
  const { currentKeyId, keys, remaining } = await listKeys(ctx)
  return { current_key_id: currentKeyId, keys: keys.map((key) => ({ ...key, values: { ...key.values } })), remaining }
}

export const listKeysRoute = route({
  id: 'adminListKeys',
  method: 'GET',
  path: '/api/v1/admin/keys',
  summary: 'List encryption keys',
  tags,
  access: 'admin',
  answers: { 200: keysSchema },
  errors: [],
}).handle(async (ctx) => ({ status: 200, body: await keysBody(ctx) }))

export const rotateKeysRoute = route({
  id: 'adminRotateKeys',
  audit: ['key_rotation_started'],
  method: 'POST',
  path: '/api/v1/admin/keys/rotate',
  summary: 'Rotate encryption keys',
  tags,
  access: 'admin',
  limit: 'sensitive',
  answers: { 202: keysSchema },
  errors: ['unavailable'],
}).handle(async (ctx) => {
  await startKeyRotation(ctx)
  return { status: 202, body: await keysBody(ctx) }
})
