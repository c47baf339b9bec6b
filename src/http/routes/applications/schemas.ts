// The schemas that the routes of API keys share.
import * as z from 'zod'
import type { CreatedKey } from '../../../applications/create-key.ts'
import type { ApiKey } from '../../../db/applications/keys.ts'
import { canonicalNetwork } from '../../../ratelimit/networks.ts'
import { id, instant, line, timeText, timeTextOrNull } from '../../schemas.ts'

const dayMs = 86_400_000
/** The longest life of a key of a user. */
export const longestDays = 366

/** A CIDR block, read as its canonical form. */
const network = z.string().transform((text, context) => {
  const canonical = canonicalNetwork(text)
  if (canonical !== null) return canonical
  context.addIssue({ code: 'custom', message: 'Must be a CIDR block, which begins with its first address.' })
  return z.NEVER
})

/** What a new key has, for any owner. */
export const keyFields = {
  name: line(100).describe('A name, by which people recognize the key.'),
  networks: z
    .array(network.pipe(z.string()))
    .max(20)
    .default([])
    .describe('The networks from which the key may be used (CIDR). Empty for any address.'),
}

export const keySchema = z
  .object({
    id,
    name: z.string(),
    prefix: z.string().describe('The first characters of the key.'),
    scopes: z.array(z.string()).describe('What the key may do.'),
    networks: z.array(z.string()).describe('The networks from which the key may be used; empty for any address.'),
    created_at: instant,
    expires_at: instant.nullable().describe('When the key expires; null for never.'),
    last_used_at: instant.nullable().describe('When the key was used last, within a minute; null for never.'),
    revoked_at: instant.nullable().describe('When the key was revoked; null for a key that was not.'),
  })
  .meta({ id: 'ApiKey' })

export const adminKeySchema = keySchema
  .extend({
    application_id: id.nullable().describe('The application of the key; null for a key of a user.'),
    user_id: id.nullable().describe('The user of the key; null for a key of an application.'),
  })
  .meta({ id: 'AdminApiKey' })

const text = z.string().describe('The key. It is shown once and cannot be read again.')
export const createdKeySchema = keySchema.extend({ key: text }).meta({ id: 'CreatedApiKey' })
export const createdAdminKeySchema = adminKeySchema.extend({ key: text }).meta({ id: 'CreatedAdminApiKey' })

export const keyView = (key: ApiKey): z.input<typeof keySchema> => ({
  id: key.id,
  name: key.name,
  prefix: key.prefix,
  scopes: [...key.scopes],
  networks: [...key.networks],
  created_at: timeText(key.createdAt),
  expires_at: timeTextOrNull(key.expiresAt),
  last_used_at: timeTextOrNull(key.lastUsedAt),
  revoked_at: timeTextOrNull(key.revokedAt),
})

export const adminKeyView = (key: ApiKey): z.input<typeof adminKeySchema> => ({
  ...keyView(key),
  application_id: key.applicationId,
  user_id: key.userId,
})

export const createdKeyView = (key: CreatedKey) => ({ ...keyView(key), key: key.text })
export const createdAdminKeyView = (key: CreatedKey) => ({ ...adminKeyView(key), key: key.text })

/** A number of days from now as a time. */
export const inDays = (now: Date, days: number): Date => new Date(now.getTime() + days * dayMs)
