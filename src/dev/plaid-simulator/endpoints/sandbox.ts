// /sandbox/public_token/create: makes an item without Link.
import * as z from 'zod'
import { institutionById, productNames } from '../bank/institutions.ts'
import { customUserOf } from '../items/custom-user-password.ts'
import { makeItem } from '../items/link-session.ts'
import { requestedUser, userFor } from '../items/users.ts'
import { whole } from '../lib/exact-json.ts'
import { failure } from '../lib/failure.ts'
import { day, endpoint } from './endpoint.ts'

const options = z
  .strictObject({
    webhook: z.url().optional(),
    override_username: z.string().nullish(),
    override_password: z.string().nullish(),
    transactions: z
      .strictObject({ start_date: day.optional(), end_date: day.optional(), days_requested: whole(1, 730).optional() })
      .nullish(),
    statements: z.unknown().optional(),
    income_verification: z.unknown().optional(),
  })
  .optional()

/** Plaid's maximum. */
const mostDays = 730

const publicTokenCreate = endpoint(
  '/sandbox/public_token/create',
  {
    institution_id: z.string(),
    initial_products: z.array(z.enum(productNames)).min(1),
    options,
    user_token: z.string().nullish(),
    user_id: z.string().nullish(),
  },
  (world, body) => {
    const institution = institutionById(body.institution_id)
    if (institution === null) throw failure('INVALID_INSTITUTION')
    const namesUser = body.user_id != null || body.user_token != null
    const username = body.options?.override_username ?? 'user_good'
    const { publicToken } = makeItem(world, {
      institution,
      products: body.initial_products,
      username,
      customUser: customUserOf(username, body.options?.override_password ?? null),
      webhook: body.options?.webhook ?? null,
      userId: (namesUser ? requestedUser(world, body) : userFor(world, 'sandbox')).userId,
      linkedWithUserId: namesUser,
      // No link token limits the history here, so all of it arrives, as for a long-standing user.
      daysRequested: body.options?.transactions?.days_requested ?? mostDays,
      startDate: body.options?.transactions?.start_date ?? null,
      endDate: body.options?.transactions?.end_date ?? null,
      sharedAccounts: null,
    })
    return { public_token: publicToken }
  },
)

export const sandboxEndpoints = [publicTokenCreate]
