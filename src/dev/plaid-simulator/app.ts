// The simulator's routes: Plaid's endpoints, and the simulator's own controls under /simulator.
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { controls } from './control/routes.ts'
import { endpoints } from './endpoints/all.ts'
import { answer } from './endpoints/answer-call.ts'
import { failure } from './lib/failure.ts'
import { loopbackCors } from './loopback-cors.ts'
import type { Stage } from './state/stage.ts'

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
