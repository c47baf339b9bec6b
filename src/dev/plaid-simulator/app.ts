// The simulator's routes: Plaid's endpoints, and under /simulator what only a simulator can do.

import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'

import { controls } from './control/routes.ts'
import { endpoints } from './endpoints/all.ts'
import { failure } from './failure.ts'
import { loopbackCors } from './loopback-cors.ts'
import { answer } from './plaid-api.ts'
import type { World } from './world.ts'

/** Holds the world of the moment; a reset puts another one in its place. */
export interface Stage {
  world: World
  reset(seed: string): Promise<void>
}

export function simulatorApp(stage: Stage): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.use(loopbackCors)
  for (const endpoint of endpoints) app.post(endpoint.path, (context) => answer(context, stage.world, endpoint))
  app.route('/simulator', controls(stage))
  app.notFound((context) => {
    const { status, body } = failure('NOT_FOUND')
    return context.newResponse(JSON.stringify({ ...body, request_id: stage.world.ids.request() }), {
      status: status === 404 ? 404 : 400,
      headers: { 'content-type': 'application/json' },
    })
  })
  return app
}
