// For administrators: rows set aside. Their contents are not shown, because they are data of the user.
import * as z from 'zod'
import { listSetAside, type StoredSetAside } from '../../../db/sync/set-aside.ts'
import { syncProducts } from '../../../sync/products.ts'
import { id, instant, timeText } from '../../schemas.ts'
import { keyCursor, pageBody, listResponse, pageQuery } from '../../pagination.ts'
import { route } from '../../route.ts'

const rowSchema = z
  .object({
    id,
    user_id: id,
    item_id: id,
    product: z.string(),
    kind: z.string().describe('The kind of the row: `transaction`, `holding`, `account` and so on.'),
    row_key: z.string().describe('Plaid’s id of the row; a digest of the row if the id cannot be read.'),
    plaid_account_id: z.string().nullable(),
    problems: z.array(z.string()).describe('The fields that are wrong, each with the kind of problem.'),
    run_id: id.describe('The sync run that read the row last.'),
    first_seen_at: instant,
    last_seen_at: instant,
  })
  .meta({ id: 'SetAsideRow' })

function rowView(row: StoredSetAside): z.input<typeof rowSchema> {
  return {
    id: row.id,
    user_id: row.userId,
    item_id: row.itemId,
    product: row.product,
    kind: row.kind,
    row_key: row.rowKey,
    plaid_account_id: row.plaidAccountId,
    problems: [...row.problems],
    run_id: row.runId,
    first_seen_at: timeText(row.firstSeenAt),
    last_seen_at: timeText(row.lastSeenAt),
  }
}

const byFirstSeen = keyCursor('set_aside_rows', 'instant')

export const listSetAsideRoute = route({
  id: 'adminListSetAside',
  method: 'GET',
  path: '/api/v1/admin/set-aside',
  summary: 'List rows set aside',
  tags: ['admin'],
  access: 'admin',
  query: z.strictObject({ ...pageQuery, item_id: id.optional(), product: z.enum(syncProducts).optional() }),
  answers: { 200: listResponse(rowSchema, 'SetAsideRowList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services }, { query }) => {
  const filters = { itemId: query.item_id, product: query.product }
  const page = await listSetAside(services.jobs, filters, query.limit, byFirstSeen.read(query.cursor))
  return { status: 200, body: pageBody(page, byFirstSeen, rowView) }
})
