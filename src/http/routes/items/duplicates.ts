// Duplicate accounts, and the decisions of the user about them.
import * as z from 'zod'
import { listDuplicates } from '../../../db/items/duplicates.ts'
import { AppError } from '../../../errors.ts'
import { settleDuplicate } from '../../../items/resolve-duplicate.ts'
import { id } from '../../schemas.ts'
import { route } from '../../route.ts'
import { accountSchema, accountView } from '../accounts.ts'

const tags = ['items']

const duplicateSchema = z
  .object({
    account_id: id.describe('An account of the item. It does not count in sums while the other account counts.'),
    duplicate_of: id.describe('The account that counts.'),
    state: z
      .enum(['possible', 'same'])
      .describe('`possible`: the user has to decide. `same`: another item reports the same account.'),
  })
  .meta({ id: 'Duplicate' })

export const listDuplicatesRoute = route({
  id: 'listDuplicates',
  method: 'GET',
  path: '/api/v1/plaid/items/{id}/duplicates',
  summary: 'List duplicates of an item',
  tags,
  access: 'user',
  params: z.object({ id }),
  answers: { 200: z.object({ data: z.array(duplicateSchema) }).meta({ id: 'DuplicateList' }) },
  errors: ['not_found'],
}).handle(async ({ services, actor }, { params }) => {
  const found = await listDuplicates(services.api, actor.identity, params.id)
  if (found === null) throw new AppError('not_found', 'There is no such item.')
  const data = found.map(({ accountId, of, state }) => ({ account_id: accountId, duplicate_of: of, state }))
  return { status: 200, body: { data } }
})

const decision = z
  .strictObject({
    merge_into: id.optional().describe('The target account: `duplicate_of`, or another account of the user.'),
    keep: z.literal(true).optional().describe('Keeps both accounts. The account counts in sums from now on.'),
  })
  .refine(({ merge_into: into, keep }) => (into === undefined) !== (keep === undefined), {
    error: 'Must have either merge_into or keep.',
  })
  .meta({ id: 'DuplicateDecision', description: 'Exactly one of the two fields.', minProperties: 1, maxProperties: 1 })

export const settleDuplicateRoute = route({
  id: 'settleDuplicate',
  audit: ['duplicate_resolved'],
  method: 'POST',
  path: '/api/v1/plaid/items/{id}/duplicates/{account_id}',
  summary: 'Merge or keep a duplicate',
  tags,
  access: 'user',
  params: z.object({ id, account_id: id }),
  body: decision,
  answers: { 200: accountSchema },
  errors: ['not_found', 'conflict'],
}).handle(async (ctx, { params, body }) => {
  const account = await settleDuplicate(ctx, params.id, params.account_id, body.merge_into ?? null)
  return { status: 200, body: accountView(account) }
})
