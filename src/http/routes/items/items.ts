// Items: their state, update mode, rotation and removal.
import * as z from 'zod'
import { getItem, type Item, listItems } from '../../../db/items/items.ts'
import { refreshable } from '../../../db/items/paid-calls.ts'
import { lostDays } from '../../../db/items/removal.ts'
import { AppError } from '../../../errors.ts'
import type { ItemStatus } from '../../../item-status.ts'
import { removeItem } from '../../../items/remove-item.ts'
import { refreshItem } from '../../../items/refresh-item.ts'
import { markRepaired } from '../../../items/repair-item.ts'
import { requestRotation, waitForRotation } from '../../../items/request-rotation.ts'
import { actionRequired } from '../../../items/action-required.ts'
import { flag, id, instant, timeText, timeTextOrNull } from '../../schemas.ts'
import { keyCursor, pageBody, listResponse, pageQuery } from '../../pagination.ts'
import { route } from '../../route.ts'

/** The states of visible items, and `removed`. */
const statuses = [
  'initializing',
  'healthy',
  'needs_update',
  'pending_disconnect',
  'pending_expiration',
  'bank_action_required',
  'institution_down',
  'revoked',
  'relink_required',
  'removed',
] as const satisfies readonly ItemStatus[]

export const itemSchema = z
  .object({
    id,
    plaid_item_id: z.string(),
    institution: z.object({ id: z.string().nullable(), name: z.string().nullable() }),
    status: z.enum(statuses),
    status_reason: z.string().nullable(),
    action_required: z
      .enum(['update', 'give_consent', 'add_accounts', 'contact_bank', 'relink'])
      .nullable()
      .describe(
        'What the user has to do, or null. `update`, `give_consent`: open Link with this `item_id`, then call ' +
          '`/repaired`. `add_accounts`: the same with `account_selection`. `contact_bank`: resolve the problem ' +
          'at the institution. `relink`: link the institution again.',
      ),
    possible_duplicate: z
      .boolean()
      .describe(
        'Whether an account of the item may duplicate another account of the user (see `/plaid/items/{id}/duplicates`).',
      ),
    products: z.array(
      z.object({
        product: z.string(),
        status: z
          .string()
          .describe(
            '`pending`, `ok`, `error`, `consent_needed`, or `absent`: Plaid does not offer the product for ' +
              'this item; it is requested again about once a week.',
          ),
        last_synced_at: instant.nullable(),
        last_error: z.string().nullable(),
      }),
    ),
    last_successful_update: instant.nullable().describe('When Plaid last updated the transactions of the item.'),
    consent_expires_at: instant.nullable(),
    disconnect_at: instant.nullable(),
    removal_at: instant
      .nullable()
      .describe('When the item and its data are removed unless the user links the institution again; null otherwise.'),
    created_at: instant,
  })
  .meta({ id: 'Item' })

const isStatus = (text: string): text is (typeof statuses)[number] => statuses.some((status) => status === text)

/** Items that are not linked again are removed by the retention. */
const removalOf = ({ status, lostSince }: Item): Date | null =>
  status === 'relink_required' && lostSince !== null ? new Date(lostSince.getTime() + lostDays * 86_400_000) : null

/** An item as clients see it. */
export function itemView(item: Item): z.input<typeof itemSchema> {
  const { status } = item
  if (!isStatus(status)) throw new AppError('internal', 'The item is in an unknown state.', { reason: 'item status' })
  return {
    id: item.id,
    plaid_item_id: item.plaidItemId,
    institution: { id: item.institutionId, name: item.institutionName },
    status,
    status_reason: item.statusReason,
    action_required: actionRequired(item),
    possible_duplicate: item.possibleDuplicate,
    products: item.products.map(({ product, status: state, lastSyncedAt, lastError }) => ({
      product,
      status: state,
      last_synced_at: timeTextOrNull(lastSyncedAt),
      last_error: lastError,
    })),
    last_successful_update: timeTextOrNull(item.transactionsUpdatedAt),
    consent_expires_at: timeTextOrNull(item.consentExpiresAt),
    disconnect_at: timeTextOrNull(item.disconnectAt),
    removal_at: timeTextOrNull(removalOf(item)),
    created_at: timeText(item.createdAt),
  }
}

const byCreation = keyCursor('items', 'instant')
const params = z.object({ id })
const tags = ['items']

export const listItemsRoute = route({
  id: 'listItems',
  method: 'GET',
  path: '/api/v1/plaid/items',
  summary: 'List items',
  tags,
  access: 'user',
  query: z.strictObject(pageQuery),
  answers: { 200: listResponse(itemSchema, 'ItemList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services, actor }, { query }) => {
  const from = byCreation.read(query.cursor)
  const page = await listItems(services.api, actor.identity, query.limit, from)
  return { status: 200, body: pageBody(page, byCreation, itemView) }
})

export const getItemRoute = route({
  id: 'getItem',
  method: 'GET',
  path: '/api/v1/plaid/items/{id}',
  summary: 'Get an item',
  tags,
  access: 'user',
  params,
  answers: { 200: itemSchema },
  errors: ['not_found'],
}).handle(async ({ services, actor }, input) => {
  const item = await getItem(services.api, actor.identity, input.params.id)
  if (item === null) throw new AppError('not_found', 'There is no such item.')
  return { status: 200, body: itemView(item) }
})

export const repairItemRoute = route({
  id: 'markItemRepaired',
  keys: 'link',
  audit: ['item_repaired'],
  method: 'POST',
  path: '/api/v1/plaid/items/{id}/repaired',
  summary: 'Report that update mode finished',
  tags,
  access: 'user',
  purpose: 'linking_and_sync',
  limit: 'link',
  params,
  answers: { 200: itemSchema },
  errors: ['not_found'],
}).handle(async (ctx, input) => ({ status: 200, body: itemView(await markRepaired(ctx, input.params.id)) }))

export const removeItemRoute = route({
  id: 'removeItem',
  audit: ['item_removed', 'item_purged'],
  event: 'item_removal',
  method: 'DELETE',
  path: '/api/v1/plaid/items/{id}',
  summary: 'Remove an item',
  tags,
  access: 'user',
  session: 'live',
  limit: 'sensitive',
  params,
  query: z.strictObject({ purge: flag.default(false) }),
  answers: { 204: null },
  errors: ['not_found'],
}).handle(async (ctx, { params: { id: itemId }, query }) => {
  if (query.purge) ctx.note?.({ event: 'item_purge' })
  await removeItem(ctx, itemId, { purge: query.purge })
  return { status: 204 }
})

export const refreshItemRoute = route({
  id: 'refreshItem',
  audit: ['refresh_requested'],
  method: 'POST',
  path: '/api/v1/plaid/items/{id}/refresh',
  summary: 'Refresh an item',
  tags,
  access: 'user',
  session: 'live',
  purpose: 'linking_and_sync',
  limit: 'sensitive',
  params,
  answers: {
    202: z
      .object({ products: z.array(z.enum(refreshable)).describe('The products that Plaid reads now.') })
      .meta({ id: 'Refresh' }),
  },
  errors: [
    'not_found',
    'refresh_off',
    'too_many_refreshes',
    'item_needs_attention',
    'plaid_unavailable',
    'plaid_rejected',
    'token_undecryptable',
  ],
}).handle(async (ctx, input) => ({ status: 202, body: { products: [...(await refreshItem(ctx, input.params.id))] } }))

export const rotateAccessTokenRoute = route({
  id: 'rotateAccessToken',
  audit: ['token_rotation_requested'],
  event: 'token_rotation',
  method: 'POST',
  path: '/api/v1/plaid/items/{id}/access_token/rotate',
  summary: 'Rotate an access token',
  tags,
  access: 'user',
  session: 'live',
  limit: 'sensitive',
  params,
  // 202: the rotation takes longer than ten seconds and continues.
  answers: { 202: null, 204: null },
  errors: ['not_found', 'conflict', 'plaid_unavailable', 'token_undecryptable'],
}).handle(async (ctx, input) => {
  const rotation = await requestRotation(ctx, input.params.id)
  return { status: (await waitForRotation(ctx, rotation)) === 'rotated' ? 204 : 202 }
})
