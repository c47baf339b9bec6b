// The simulator's routes: Plaid's endpoints, Link's pages, the Bank panel, and the simulator's own controls under /simulator.
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { controls } from './control/routes.ts'
import { endpoints } from './endpoints/all.ts'
import { answer } from './endpoints/answer-call.ts'
import { failure } from './lib/failure.ts'
import { linkPages } from './link-page/routes.ts'
import { loopbackCors } from './lib/loopback-cors.ts'
import { refuseOtherSites } from './lib/own-machine.ts'
import { bankPanel } from './panel/routes.ts'
import type { Stage } from './state/stage.ts'

export function simulatorApp(stage: Stage): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.use(refuseOtherSites(stage.world.settings.host))
  // Before the permission for other origins: no page of another origin reads the pages of Link and of the panel.
  app.route('/', linkPages(stage))
  app.route('/', bankPanel(stage))
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
