// Messages of the queues: which product to sync, which Link session to check, which access token to rotate, the next
// step of a rotation of keys or tokens, or which endpoint has events to deliver. A message is only a hint; the consumer
// decides by the row. During a deployment, an older version may receive the messages of a newer one: it ignores members
// that it does not know.
import * as z from 'zod'
import { keyIdPattern } from '../crypto/keyring.ts'
import { sealedPlaces } from '../custody/rewrap.ts'

/**
 * `cause_id` is the id of the request or run that caused the message, for log lines. Messages of older versions have
 * none.
 */
const message = <Shape extends z.ZodRawShape>(shape: Shape) => z.object({ ...shape, cause_id: z.uuid().optional() })

/** Why a product is synced; stored as the run's `trigger`. */
export const syncTriggers = ['link', 'user', 'webhook', 'sweep', 'again', 'raised', 'replay'] as const
export type SyncTrigger = (typeof syncTriggers)[number]

const productMessage = message({ item_product_id: z.uuid(), reason: z.enum(syncTriggers) })
export type ProductMessage = z.infer<typeof productMessage>
/** A hosted Link session whose results must be read from Plaid. */
const linkMessage = message({ link_session_id: z.uuid() })

/**
 * An access token to rotate, identified by the digest of its sealed value, so that a second delivery does nothing.
 * `background`: an operator requested it for all items, and no user waits.
 */
const rotationMessage = message({
  rotate_item_id: z.uuid(),
  token_digest: z.string().regex(/^[0-9a-f]{64}$/),
  background: z.literal(true).optional(),
})

/** The next step of a rotation of all access tokens that are older than `rotate_tokens_before`: from one item on. */
const tokensMessage = message({
  rotate_tokens_before: z.iso.datetime(),
  after: z.uuid().nullable(),
  pass: z.int().min(1),
})
export type TokensMessage = z.infer<typeof tokensMessage>

/** The next step of a rotation of the encryption keys: values of one place, after one row, to one key. */
const rewrapMessage = message({
  rewrap: z.enum(sealedPlaces),
  after: z.uuid().nullable(),
  key_id: z.string().regex(keyIdPattern),
})
export type RewrapMessage = z.infer<typeof rewrapMessage>

/** An erasure of a person to continue. */
const erasureMessage = message({ erasure_id: z.uuid() })

/** An endpoint with events to deliver. */
const eventsMessage = message({ deliver_endpoint_id: z.uuid() })

/** Users whose items at Plaid are compared with the stored ones; the cron has claimed them. */
const usersMessage = message({ check_user_ids: z.array(z.uuid()).min(1).max(100) })

export const syncMessageSchema = z.union([
  productMessage,
  linkMessage,
  rotationMessage,
  tokensMessage,
  rewrapMessage,
  erasureMessage,
  usersMessage,
  eventsMessage,
])
export type SyncMessage = z.infer<typeof syncMessageSchema>

/** The names of the kinds, for logs and metrics. */
export type MessageKind = 'sync' | 'link_session' | 'rotation' | 'tokens' | 'rewrap' | 'users' | 'erasure' | 'events'

/** Each kind has a member that no other has. */
export function kindOf(given: SyncMessage): MessageKind {
  if ('item_product_id' in given) return 'sync'
  if ('link_session_id' in given) return 'link_session'
  if ('rotate_item_id' in given) return 'rotation'
  if ('rotate_tokens_before' in given) return 'tokens'
  if ('check_user_ids' in given) return 'users'
  if ('deliver_endpoint_id' in given) return 'events'
  return 'rewrap' in given ? 'rewrap' : 'erasure'
}
