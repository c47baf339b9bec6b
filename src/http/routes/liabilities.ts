// Liabilities, one per account, with the details of their kind.
import * as z from 'zod'
import { type Liability, listLiabilities } from '../../db/records/liabilities.ts'
import { AppError } from '../../errors.ts'
import { hiddenQuery, id } from '../schemas.ts'
import { keyCursor, pageBody, listResponse, pageQuery } from '../pagination.ts'
import { route } from '../route.ts'

const kinds = ['credit', 'mortgage', 'student'] as const

export const liabilitySchema = z
  .object({
    id,
    account_id: id,
    kind: z.enum(kinds),
    details: z.looseObject({}).describe('Plaid’s object of that kind. Every number in it is an exact decimal string.'),
  })
  .meta({ id: 'Liability' })

const isKind = (text: string): text is (typeof kinds)[number] => kinds.some((kind) => kind === text)

export function liabilityView({
  id: liabilityId,
  accountId,
  kind,
  details,
}: Liability): z.input<typeof liabilitySchema> {
  if (!isKind(kind) || typeof details !== 'object' || details === null)
    throw new AppError('internal', 'The liability is of an unknown kind.', { reason: 'liability kind' })
  return { id: liabilityId, account_id: accountId, kind, details: { ...details } }
}

const byAccount = keyCursor('liabilities', 'id')

export const listLiabilitiesRoute = route({
  id: 'listLiabilities',
  method: 'GET',
  path: '/api/v1/liabilities',
  summary: 'List liabilities',
  tags: ['liabilities'],
  access: 'user',
  query: z.strictObject({ ...pageQuery, ...hiddenQuery }),
  entityTag: 'counter',
  answers: { 200: listResponse(liabilitySchema, 'LiabilityList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services, actor }, { query }) => {
  const from = byAccount.read(query.cursor)
  const page = await listLiabilities(services.api, actor.identity, query.limit, from, query.include_hidden)
  return { status: 200, body: pageBody(page, byAccount, liabilityView) }
})
