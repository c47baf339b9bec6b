// Schemas of Plaid's responses about Link, items and keys, with the fields in use.
import type * as wire from 'plaid'
import * as z from 'zod'
import { secretText } from './client.ts'
import { isRecord, objectOrEmpty, optionalText, optionalTexts, requiredId, requiredText } from './field-schemas.ts'
import { objectOf } from './schemas.ts'
import { optionalTime } from './time.ts'

const secret = requiredText.transform(secretText)

const errorName = /^[A-Z][A-Z0-9_]{1,99}$/
const nameOf = (value: unknown): string | null => (typeof value === 'string' && errorName.test(value) ? value : null)

const isNothing = (parsed: unknown): boolean =>
  parsed === undefined || parsed === null || parsed === false || (typeof parsed === 'string' && !/\S/.test(parsed))

/** An item's error. A value of another shape is an unknown error. */
const itemError = z
  .unknown()
  .optional()
  .transform((parsed): { error_type: string; error_code: string } | null => {
    if (isNothing(parsed)) return null
    const fields = isRecord(parsed) ? parsed : { error_code: parsed }
    return {
      error_type: nameOf(fields['error_type']) ?? 'ITEM_ERROR',
      error_code: nameOf(fields['error_code']) ?? 'UNKNOWN_ERROR',
    }
  })

const timeOfUpdate = objectOrEmpty(z.object({ last_successful_update: optionalTime }))

export const itemGet = objectOf<wire.ItemGetResponse>()({
  item: objectOf<wire.ItemWithConsentFields>()({
    item_id: requiredId,
    institution_id: optionalText,
    institution_name: optionalText,
    webhook: optionalText,
    error: itemError,
    available_products: optionalTexts,
    billed_products: optionalTexts,
    products: optionalTexts,
    consented_products: optionalTexts,
    consent_expiration_time: optionalTime,
  }),
  status: objectOrEmpty(
    z.object({
      last_webhook: objectOrEmpty(z.object({ sent_at: optionalTime, code_sent: optionalText })),
      transactions: timeOfUpdate,
      investments: timeOfUpdate,
    }),
  ),
})
export type PlaidItem = z.output<typeof itemGet>

export const linkTokenCreate = objectOf<wire.LinkTokenCreateResponse>()({
  link_token: requiredText,
  expiration: optionalTime,
  hosted_link_url: optionalText,
})

/** Rows that cannot be parsed are dropped. */
const readable =
  <Schema extends z.ZodType>(row: Schema) =>
  (list: unknown): z.output<Schema>[] =>
    Array.isArray(list)
      ? list.flatMap((element: unknown) => {
          const parsed = row.safeParse(element)
          return parsed.success ? [parsed.data] : []
        })
      : []

const listOf = <Schema extends z.ZodType>(row: Schema) => z.unknown().optional().transform(readable(row))

const linkedAccount = z.object({ name: optionalText, mask: optionalText, subtype: optionalText })

const institution = objectOrEmpty(z.object({ institution_id: optionalText, name: optionalText })).transform((parsed) =>
  parsed.institution_id === null
    ? null
    : { institution_id: parsed.institution_id, name: parsed.name ?? parsed.institution_id },
)

const itemAdded = z.object({ public_token: secret, accounts: listOf(linkedAccount), institution })

export const linkTokenGet = objectOf<wire.LinkTokenGetResponse>()({
  link_sessions: listOf(
    z.object({
      finished_at: optionalTime,
      /** Only if the user left Link without having done anything. */
      exit: z
        .unknown()
        .optional()
        .transform((parsed) => (isNothing(parsed) ? null : {})),
      results: objectOrEmpty(z.object({ item_add_results: listOf(itemAdded) })).transform(
        (parsed) => parsed.item_add_results,
      ),
    }),
  ),
})

export const userCreate = objectOf<wire.UserCreateResponse>()({ user_id: requiredText })

/** A missing list must not look like a user without items. */
export const userItemsGet = objectOf<wire.UserItemsGetResponse>()({
  items: z.array(z.unknown()).transform(readable(z.object({ item_id: requiredId }))),
})

export const accessTokenInvalidate = objectOf<wire.ItemAccessTokenInvalidateResponse>()({ new_access_token: secret })

export const publicTokenExchange = objectOf<wire.ItemPublicTokenExchangeResponse>()({
  access_token: secret,
  item_id: requiredText,
})

export const nothing = z.object({})

export const verificationKey = objectOf<wire.WebhookVerificationKeyGetResponse>()({ key: z.looseObject({}) })
