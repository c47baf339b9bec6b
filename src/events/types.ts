// The closed list of event types, and the schema of what each one says: ids, numbers, and names of states. No amounts and
// no names. docs/events.md explains them.
import * as z from 'zod'

const id = z.guid()
const time = z.iso.datetime({ precision: 3 })
const user = id.describe('The id of the user in this deployment.')
const subject = z
  .string()
  .optional()
  .describe(
    'The id by which the issuer of access tokens, or an application in `WN-User`, names the user. Only for ' +
      'endpoints of applications and administrators.',
  )
const item = id.describe('The id of the item.')
/** Who it is about, for endpoints of applications and administrators above all. */
const whose = { user, subject }

const changed = z.object({ ...whose, item })

export const eventSchemas = {
  'transactions.changed': z.object({
    ...whose,
    item: item.nullable().describe('The id of the item; null where deleted transactions were removed from the feed.'),
    since: z.int().describe('A copy that has read up to this number lacks the changes.'),
    next_since: z.int().describe('A copy that has read up to this number has the changes.'),
    upserted: z.int().describe('How many transactions are new or differ.'),
    removed: z.int().describe('How many transactions are gone.'),
  }),
  'accounts.changed': changed,
  'holdings.changed': changed,
  'investment_transactions.changed': changed,
  'liabilities.changed': changed,
  'recurring.changed': changed,
  'item.linked': changed,
  'item.status_changed': z.object({
    ...whose,
    item,
    from: z.string().describe('The status before.'),
    to: z.string().describe('The status of the item now.'),
    action_required: z.string().nullable().describe('What the user has to do, as in `Item.action_required`.'),
    deadline: time.nullable().describe('When the connection or the consent ends; null if no end is announced.'),
  }),
  'item.new_accounts': changed,
  'item.removed': changed,
  'sync.failed': z.object({
    ...whose,
    item,
    product: z.string().describe('The product that could not be read.'),
    error_code: z.string().nullable().describe('The code of the error.'),
  }),
  'user.erased': z.object(whose),
} as const satisfies Readonly<Record<string, z.ZodObject>>

export type EventType = keyof typeof eventSchemas

export const isEventType = (text: string): text is EventType => Object.hasOwn(eventSchemas, text)

const names = Object.keys(eventSchemas).filter(isEventType)

/** As an enum of zod. */
export const eventTypes: readonly EventType[] = names

/** What is sent to find out whether an endpoint wants events, and whether it works. Not part of the list. */
export const controlSchemas = {
  'endpoint.verification': z.object({
    challenge: z.string().describe('Return it as `{"challenge": "…"}` with the status 200.'),
  }),
  ping: z.object({}),
} as const satisfies Readonly<Record<string, z.ZodObject>>

/** The body of each request. */
export interface EventBody {
  readonly type: string
  /** When it happened. */
  readonly timestamp: string
  readonly data: Readonly<Record<string, unknown>>
}
