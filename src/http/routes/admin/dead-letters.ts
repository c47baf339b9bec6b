// For administrators: dead letters and their replay.
import * as z from 'zod'
import { listDeadLetters, type StoredDeadLetter } from '../../../db/operations/dead-letters.ts'
import { replayAll, replayOne } from '../../../sync/replay-dead-letters.ts'
import { flag, id, instant, timeText, timeTextOrNull } from '../../schemas.ts'
import { keyCursor, pageBody, listResponse, pageQuery } from '../../pagination.ts'
import { route } from '../../route.ts'
import { queuedSchema } from '../sync.ts'

const tags = ['admin']

const letterSchema = z
  .object({
    id,
    queue: z.string(),
    message_id: z.string(),
    item_product_id: id.nullable(),
    reason: z.string(),
    created_at: instant,
    replayed_at: instant.nullable(),
    replays: z.int(),
  })
  .meta({ id: 'DeadLetter' })

function letterView(letter: StoredDeadLetter): z.input<typeof letterSchema> {
  return {
    id: letter.id,
    queue: letter.queue,
    message_id: letter.messageId,
    item_product_id: letter.itemProductId,
    reason: letter.reason,
    created_at: timeText(letter.createdAt),
    replayed_at: timeTextOrNull(letter.replayedAt),
    replays: letter.replays,
  }
}

const lettersByTime = keyCursor('dead_letters', 'instant')

export const listDeadLettersRoute = route({
  id: 'adminListDeadLetters',
  method: 'GET',
  path: '/api/v1/admin/dead-letters',
  summary: 'List dead letters',
  tags,
  access: 'admin',
  query: z.strictObject({
    ...pageQuery,
    open: flag.default(false).describe('Only dead letters that were not replayed.'),
  }),
  answers: { 200: listResponse(letterSchema, 'DeadLetterList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services }, { query }) => {
  const page = await listDeadLetters(services.jobs, query, query.limit, lettersByTime.read(query.cursor))
  return { status: 200, body: pageBody(page, lettersByTime, letterView) }
})

export const replayDeadLetterRoute = route({
  id: 'adminReplayDeadLetter',
  audit: ['dead_letters_replayed'],
  method: 'POST',
  path: '/api/v1/admin/dead-letters/{id}/replay',
  summary: 'Replay a dead letter',
  tags,
  access: 'admin',
  limit: 'sensitive',
  params: z.object({ id }),
  answers: { 202: queuedSchema },
  errors: ['not_found'],
}).handle(async (ctx, input) => ({ status: 202, body: { queued: await replayOne(ctx, input.params.id) } }))

export const replayDeadLettersRoute = route({
  id: 'adminReplayDeadLetters',
  audit: ['dead_letters_replayed'],
  method: 'POST',
  path: '/api/v1/admin/dead-letters/replay',
  summary: 'Replay all dead letters',
  tags,
  access: 'admin',
  limit: 'sensitive',
  answers: { 202: queuedSchema },
  errors: [],
}).handle(async (ctx) => ({ status: 202, body: { queued: await replayAll(ctx) } }))
