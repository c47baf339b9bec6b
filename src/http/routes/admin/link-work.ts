// For administrators: exchanges that have not ended, items that wait for their removal at Plaid, and orphans. No amounts, no
// names.
import * as z from 'zod'
import { readOrphanState } from '../../../db/link/orphans.ts'
import { removalReasons } from '../../../db/items/plaid-removals.ts'
import { mostCounted } from '../../../db/operations/gauges.ts'
import { listOpenExchanges, listRemovals, type OpenExchange, type WaitingRemoval } from '../../../db/link/waiting.ts'
import { openStates } from '../../../db/operations/open-exchanges.ts'
import { orphanModes, stricterMode } from '../../../db/operations/safety-switches.ts'
import { keyCursor, listResponse, pageBody, pageQuery } from '../../pagination.ts'
import { route } from '../../route.ts'
import { id, instant, timeText, timeTextOrNull } from '../../schemas.ts'

const tags = ['admin']
const access = 'admin'
const dayMs = 86_400_000

const attempts = z.int()
const nextAttempt = instant
const lastError = z.string().nullable()

const exchangeSchema = z
  .object({
    id: id,
    user_id: id,
    state: z.enum(openStates),
    plaid_item_id: z.string().nullable(),
    attempts,
    last_error: lastError,
    created_at: instant,
    next_attempt_at: nextAttempt,
  })
  .meta({ id: 'OpenExchange' })

/** @throws TypeError for a state that the list does not choose */
function stateOf(state: string): (typeof openStates)[number] {
  const known = openStates.find((open) => open === state)
  if (known === undefined) throw new TypeError(`an exchange with the state ${state} is not open`)
  return known
}

const exchangeView = (row: OpenExchange): z.input<typeof exchangeSchema> => ({
  id: row.id,
  user_id: row.userId,
  state: stateOf(row.state),
  plaid_item_id: row.plaidItemId,
  attempts: row.attempts,
  last_error: row.lastError,
  created_at: timeText(row.createdAt),
  next_attempt_at: timeText(row.nextAttemptAt),
})

const exchangesByTime = keyCursor('admin_exchanges', 'instant')

export const listExchangesRoute = route({
  id: 'adminListExchanges',
  method: 'GET',
  path: '/api/v1/admin/exchanges',
  summary: 'List open exchanges',
  tags,
  access,
  query: z.strictObject({ ...pageQuery, state: z.enum(openStates).optional(), user_id: id.optional() }),
  answers: { 200: listResponse(exchangeSchema, 'OpenExchangeList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services }, { query: { state, user_id: userId, limit, cursor } }) => {
  const page = await listOpenExchanges(services.jobs, { state, userId }, limit, exchangesByTime.read(cursor))
  return { status: 200, body: pageBody(page, exchangesByTime, exchangeView) }
})

const removalSchema = z
  .object({
    id: id,
    user_id: id,
    item_id: id.nullable(),
    plaid_item_id: z.string(),
    reason: z.string(),
    attempts,
    last_error: lastError,
    created_at: instant,
    next_attempt_at: nextAttempt,
  })
  .meta({ id: 'WaitingRemoval' })

const removalView = (row: WaitingRemoval): z.input<typeof removalSchema> => ({
  id: row.id,
  user_id: row.userId,
  item_id: row.itemId,
  plaid_item_id: row.plaidItemId,
  reason: row.reason,
  attempts: row.attempts,
  last_error: row.lastError,
  created_at: timeText(row.createdAt),
  next_attempt_at: timeText(row.nextAttemptAt),
})

const removalsByTime = keyCursor('admin_removals', 'instant')

export const listRemovalsRoute = route({
  id: 'adminListRemovals',
  method: 'GET',
  path: '/api/v1/admin/removals',
  summary: 'List removals that wait',
  tags,
  access,
  query: z.strictObject({ ...pageQuery, reason: z.enum(removalReasons).optional(), user_id: id.optional() }),
  answers: { 200: listResponse(removalSchema, 'WaitingRemovalList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services }, { query: { reason, user_id: userId, limit, cursor } }) => {
  const page = await listRemovals(services.jobs, { reason, userId }, limit, removalsByTime.read(cursor))
  return { status: 200, body: pageBody(page, removalsByTime, removalView) }
})

const mode = z.enum(orphanModes)

const orphansSchema = z
  .object({
    mode: mode,
    variable: mode,
    switch: mode,
    switch_changed_at: instant.nullable(),
    per_day: z.int(),
    removed_today: z.int(),
    resets_at: instant,
    waiting: z.int(),
    too_new: z.int(),
    oldest_at: instant.nullable(),
    unchecked_users: z.int(),
  })
  .meta({ id: 'Orphans' })

export const orphansRoute = route({
  id: 'adminGetOrphans',
  method: 'GET',
  path: '/api/v1/admin/orphans',
  summary: 'Get the state of orphans',
  tags,
  access,
  answers: { 200: orphansSchema },
  errors: [],
}).handle(async ({ services, now }) => {
  const { mode: variable, perDay } = services.config.orphanRemoval
  const state = await readOrphanState(services.jobs, mostCounted)
  const nowMs = now().getTime()
  return {
    status: 200,
    body: {
      mode: stricterMode(variable, state.switchState),
      variable,
      switch: orphanModes.find((known) => known === state.switchState) ?? 'off',
      switch_changed_at: timeTextOrNull(state.switchChangedAt),
      per_day: perDay,
      removed_today: state.removedToday,
      resets_at: timeText(new Date(nowMs - (nowMs % dayMs) + dayMs)),
      waiting: state.waiting,
      too_new: state.tooNew,
      oldest_at: timeTextOrNull(state.oldest),
      unchecked_users: state.uncheckedUsers,
    },
  }
})
