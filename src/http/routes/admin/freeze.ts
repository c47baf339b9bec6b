// For operators: the switch that stops all writes and all calls of Plaid.
import * as z from 'zod'
import { type Freeze, freezeStates, readFreeze } from '../../../db/operations/freeze.ts'
import { changeFreeze } from '../../../freeze/change-freeze.ts'
import { route } from '../../route.ts'

const tags = ['admin']
const path = '/api/v1/admin/freeze'

const freezeSchema = z
  .object({ state: z.enum(freezeStates), changed_at: z.iso.datetime().nullable() })
  .meta({ id: 'Freeze' })

const bodyOf = ({ state, changedAt }: Freeze): z.input<typeof freezeSchema> => ({ state, changed_at: changedAt })

export const getFreezeRoute = route({
  id: 'adminGetFreeze',
  method: 'GET',
  path,
  summary: 'Get the freeze',
  tags,
  access: 'admin',
  answers: { 200: freezeSchema },
  errors: [],
}).handle(async ({ services }) => ({ status: 200, body: bodyOf(await readFreeze(services.jobs)) }))

export const freezeRoute = route({
  id: 'adminFreeze',
  audit: ['freeze_changed'],
  method: 'POST',
  path,
  summary: 'Freeze the deployment',
  tags,
  access: 'admin',
  body: z.strictObject({ state: z.enum(['frozen', 'recovery']).default('frozen') }),
  bodyOptional: true,
  answers: { 200: freezeSchema },
  errors: ['conflict'],
}).handle(async (ctx, { body }) => ({ status: 200, body: bodyOf(await changeFreeze(ctx, body.state)) }))

export const unfreezeRoute = route({
  id: 'adminUnfreeze',
  audit: ['freeze_changed'],
  method: 'DELETE',
  path,
  summary: 'End the freeze',
  tags,
  access: 'admin',
  answers: { 200: freezeSchema },
  errors: ['conflict'],
}).handle(async (ctx) => ({ status: 200, body: bodyOf(await changeFreeze(ctx, 'off')) }))
