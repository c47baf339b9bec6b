// A wake-up call: which product to look at, and why. The row is the truth, the message only says that it is worth a look.
import * as z from 'zod'

/** Why a product is looked at; kept as a run's `trigger`. */
export const wakeReasons = ['link', 'user', 'webhook', 'sweep', 'again', 'raised'] as const
export type WakeReason = (typeof wakeReasons)[number]

export const syncMessageSchema = z.strictObject({ item_product_id: z.uuid(), reason: z.enum(wakeReasons) })
export type SyncMessage = z.infer<typeof syncMessageSchema>
