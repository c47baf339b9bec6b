// The request bodies of the /simulator routes. They are strict: an unknown member is an error.
import { HTTPException } from 'hono/http-exception'
import * as z from 'zod'
import { productNames } from '../bank/institutions.ts'
import { exactNumber, parseExact, whole } from '../lib/exact-json.ts'
import { isErrorCode } from '../lib/failure.ts'
import { exitStatuses } from '../state/link-token.ts'
import { tamperings } from '../state/webhooks.ts'
import { portfolioFields } from './portfolio-requests.ts'

const id = z.string().min(1)
const day = z.iso.date()
const dateTime = z.iso.datetime({ offset: true })
/** A count; the seed chooses which ones. */
const many = whole(0, 10_000)
const flag = z.literal(true)

const transactionFields = {
  account_id: id.optional(),
  amount: exactNumber.optional(),
  authorized_date: day.nullable().optional(),
  authorized_datetime: dateTime.nullable().optional(),
  category: z.array(z.string()).nullable().optional(),
  category_id: z.string().nullable().optional(),
  check_number: z.string().nullable().optional(),
  counterparties: z.array(z.unknown()).optional(),
  date: day.optional(),
  datetime: dateTime.nullable().optional(),
  iso_currency_code: z.string().nullable().optional(),
  location: z.looseObject({}).optional(),
  logo_url: z.string().nullable().optional(),
  merchant_entity_id: z.string().nullable().optional(),
  merchant_name: z.string().nullable().optional(),
  name: z.string().optional(),
  original_description: z.string().nullable().optional(),
  payment_channel: z.enum(['online', 'in store', 'other']).optional(),
  payment_meta: z.looseObject({}).optional(),
  pending: z.boolean().optional(),
  pending_transaction_id: id.nullable().optional(),
  personal_finance_category: z
    .strictObject({
      primary: z.string(),
      detailed: z.string(),
      confidence_level: z.enum(['VERY_HIGH', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN']),
      version: z.literal('v2').default('v2'),
    })
    .nullable()
    .optional(),
  transaction_code: z.string().nullable().optional(),
  unofficial_currency_code: z.string().nullable().optional(),
  website: z.string().nullable().optional(),
}

const addition = z.strictObject({ transaction_id: id.optional(), ...transactionFields })
const modification = z.strictObject({ transaction_id: id, ...transactionFields })

/** `post_pending`: which pending transactions post, and how the posted ones differ. */
const posting = z.strictObject({
  transaction_ids: z.array(id).optional(),
  link: z.boolean().optional(),
  amount: exactNumber.optional(),
  name: z.string().optional(),
  date: day.optional(),
})

/** Places for money outside the accounts here. */
const places = ['cash', 'own_elsewhere', 'outside'] as const
export const isPlace = (name: string): name is (typeof places)[number] => places.some((place) => place === name)
/** An account's id, or a place. */
const side = id

/** Money that moves between two sides. Each account that reports transactions gets a posting. */
const movement = z.strictObject({
  from: side,
  to: side,
  amount: exactNumber,
  date: day.optional(),
  name: z.string().optional(),
  pending: z.boolean().optional(),
  /** The detailed category of the postings; the usual one for these two sides if absent. */
  category: z.string().optional(),
})

const newAccount = z.strictObject({
  name: z.string().optional(),
  official_name: z.string().nullable().optional(),
  type: z.enum(['depository', 'credit', 'loan', 'investment', 'other']).optional(),
  subtype: z.string().nullable().optional(),
  mask: z.string().nullable().optional(),
  /** Visible immediately, without the user sharing it in update mode. */
  shared: z.boolean().optional(),
})

const knownCode = z.string().refine(isErrorCode, { error: "must be an error code of Plaid's" })

const productList = z.array(z.enum(productNames)).min(1)

export const bankChange = z.strictObject({
  silent: z.boolean().optional(),
  history: z.enum(['initial', 'historical']).optional(),
  add: z.union([many, z.array(addition)]).optional(),
  modify: z.union([many, z.array(modification)]).optional(),
  remove: z.union([many, z.array(id)]).optional(),
  move: z.array(movement).optional(),
  post_pending: z.union([flag, many, posting]).optional(),
  new_account: z.union([flag, newAccount]).optional(),
  close_account: z.union([flag, id, z.strictObject({ account_id: id })]).optional(),
  login_required: z.union([flag, z.strictObject({ error_code: knownCode })]).optional(),
  login_repaired: flag.optional(),
  revoke: z.union([flag, z.strictObject({ account_id: id })]).optional(),
  /** The user revokes the consent to one account: this one, or the newest open one. */
  revoke_account: z.union([flag, id]).optional(),
  pending_disconnect: z
    .union([flag, z.strictObject({ reason: z.string().optional(), disconnect_time: dateTime.nullable().optional() })])
    .optional(),
  /** Products that the item does not have from now on, and the error of their endpoints. */
  products_absent: z.union([productList, z.strictObject({ products: productList, error_code: knownCode })]).optional(),
  /** Products that return; true for all. */
  products_returned: z.union([flag, productList]).optional(),
  pending_expiration: z.union([flag, z.strictObject({ consent_expiration_time: dateTime })]).optional(),
  ...portfolioFields,
})
export type BankChange = z.infer<typeof bankChange>
export type Addition = z.infer<typeof addition>
export type Modification = z.infer<typeof modification>
export type Move = z.infer<typeof movement>
export type PostPending = z.infer<typeof posting>
export type NewAccount = z.infer<typeof newAccount>

export const faultRequest = z.strictObject({
  endpoint: z.string().regex(/^(\/[a-z_/]+|\*)$/, { error: "must be one of Plaid's paths, or *" }),
  /** How many calls it affects; 0 removes the endpoint's faults. */
  times: whole(0, 100_000).default(1),
  /** How many matching calls pass before the first one that it affects. */
  after: whole(0, 100_000).default(0),
  error: z.union([knownCode, z.looseObject({ error_type: z.string(), error_code: z.string() })]).optional(),
  status: whole(200, 599).optional(),
  latency_ms: whole(0, 600_000).optional(),
  /**
   * `before` or true cuts the connection before anything happens; `after` cuts it after the call took effect, so that
   * only the response is lost.
   */
  drop: z.union([z.boolean(), z.enum(['before', 'after'])]).optional(),
  /** The call gets no response: it hangs before anything happens, or after the call took effect. */
  hang: z.union([z.boolean(), z.enum(['before', 'after'])]).optional(),
  /** The whole body of the response, sent as HTML with `status` (200 by default). */
  text: z.string().optional(),
  mutate_during_pagination: z.boolean().optional(),
})

/** A rule that changes an endpoint's successful responses, or its errors with `errors`. */
export const alterationRequest = z.strictObject({
  endpoint: z.string().regex(/^(\/[a-z_/]+|\*)$/, { error: "must be one of Plaid's paths, or *" }),
  /**
   * Member names and list positions: `added[0].date`, `accounts[*].name`, `added[-1]`,
   * `holdings[account_id=x].quantity`.
   */
  path: z.string().min(1).optional(),
  /** Any JSON; numbers keep their digits. */
  value: z.unknown().optional(),
  remove: flag.optional(),
  /** Replaces the value with one of another JSON type. */
  wrong_type: flag.optional(),
  /** The status of the changed response. */
  status: whole(200, 599).optional(),
  errors: z.boolean().optional(),
  /** How many responses it changes; all if absent. 0 removes the endpoint's rules. */
  times: whole(0, 100_000).optional(),
  /** How many responses that it could change pass before the first one that it changes. */
  after: whole(0, 100_000).default(0),
})

/** Which kind of Plaid client the caller is; absent fields stay as they are. */
export const clientRequest = z.strictObject({
  legacy_users: z.boolean().optional(),
  category_version: z.enum(['v1', 'v2']).optional(),
  /** Treats every access token as one of another environment or team. */
  foreign_tokens: z.boolean().optional(),
  /** The active secrets. Plaid has two while one is being rotated. */
  secrets: z.array(z.string().min(1)).min(1).max(2).optional(),
})

/** True for all from now on, false for none, a number for the next so many. */
const howMany = z.union([z.boolean(), many])

export const deliveryFaultsRequest = z.strictObject({
  duplicate: howMany.optional(),
  reorder: howMany.optional(),
  delay_ms: whole(0, 600_000).optional(),
  drop: howMany.optional(),
  rotate_key: z.boolean().optional(),
  expire_key: z.boolean().optional(),
  /** Additional members in the header and claims of each JWT and in each verification key; {} removes them. */
  extra_header: z.record(z.string(), z.unknown()).optional(),
  extra_claims: z.record(z.string(), z.unknown()).optional(),
  extra_key: z.record(z.string(), z.unknown()).optional(),
  tamper: z
    .union([z.boolean(), z.enum(tamperings)])
    .nullable()
    .optional(),
})

export const clockRequest = z.strictObject({ advance_ms: whole(0, 10 * 366 * 86_400_000) })

export const resetRequest = z.strictObject({ seed: z.string().min(1).optional() })

const choiceFields = {
  institution_id: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  products: z.array(z.enum(productNames)).min(1).optional(),
  /** The accounts that the user shares, by the bank's ids; all if absent. */
  account_ids: z.array(id).min(1).optional(),
}

const exitPoint = z.strictObject({
  institution_id: z.string().optional(),
  status: z.enum(exitStatuses),
  error_code: knownCode.optional(),
})

/** One bank at which the user logs in. */
export const linkChoice = z.strictObject(choiceFields)

export const linkRequest = z.strictObject({
  link_token: z.string(),
  ...choiceFields,
  /** Several items in one multi-item session: a number of items, each at another institution, or the given ones. */
  items: z.union([whole(1, 20), z.array(linkChoice).min(1).max(20)]).optional(),
  /** False leaves a multi-item session open; the next call with the same link token continues it. */
  finish: z.boolean().optional(),
  /** The user opens Link and does nothing yet. */
  open: flag.optional(),
  /** The user closes the page and never comes back: after opening it, or after linking and before Link's last page. */
  abandon: z.enum(['opened', 'linked']).optional(),
  /** The user leaves Link without linking another item, at this point of it. */
  exit: z.union([flag, exitPoint]).optional(),
})

/** An error response with a sentence that states the reason. */
export function refuse(status: 400 | 404 | 409, message: string): HTTPException {
  return new HTTPException(status, {
    res: Response.json({ error: status === 404 ? 'not_found' : 'invalid_request', message }, { status }),
  })
}

/** Parses a control's body; an empty one is `{}`. Refuses invalid JSON and unknown keys. */
export function parsedBody<Schema extends z.ZodType>(schema: Schema, text: string): z.infer<Schema> {
  const parsed = schema.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  throw refuse(400, z.prettifyError(parsed.error))
}

function jsonOf(text: string): unknown {
  try {
    return text.trim() === '' ? {} : parseExact(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw refuse(400, 'the body is not JSON')
    throw error
  }
}
