// A message of the queue: which product or Link session to look at and why, or which access token to rotate. The row is the
// truth: the message only says that it is worth a look.
import * as z from 'zod'

/** Why a product is looked at; kept as a run's `trigger`. */
export const syncTriggers = ['link', 'user', 'webhook', 'sweep', 'again', 'raised', 'replay'] as const
export type SyncTrigger = (typeof syncTriggers)[number]

const productMessage = z.strictObject({ item_product_id: z.uuid(), reason: z.enum(syncTriggers) })
/** A hosted Link session, whose outcome Plaid can be asked for. */
const linkMessage = z.strictObject({ link_session_id: z.uuid() })

/** An access token to rotate, named by the digest of its sealed form: a second delivery finds another one. */
const rotationMessage = z.strictObject({
  rotate_item_id: z.uuid(),
  token_digest: z.string().regex(/^[0-9a-f]{64}$/),
})

export const syncMessageSchema = z.union([productMessage, linkMessage, rotationMessage])
export type SyncMessage = z.infer<typeof syncMessageSchema>
