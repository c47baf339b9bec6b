// A wake-up call: which product or Link session to look at, and why. The row is the truth, the message only says that it is worth a look.
import * as z from 'zod'

/** Why a product is looked at; kept as a run's `trigger`. */
export const wakeReasons = ['link', 'user', 'webhook', 'sweep', 'again', 'raised', 'replay'] as const
export type WakeReason = (typeof wakeReasons)[number]

const productMessage = z.strictObject({ item_product_id: z.uuid(), reason: z.enum(wakeReasons) })
/** A hosted Link session, whose outcome Plaid can be asked for. */
const linkMessage = z.strictObject({ link_session_id: z.uuid() })

export const syncMessageSchema = z.union([productMessage, linkMessage])
export type SyncMessage = z.infer<typeof syncMessageSchema>
