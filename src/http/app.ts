// The HTTP entry point: the steps of a request, in this order. Contains no logic.
import { type ExecutionContext, Hono } from 'hono'
import { AppError } from '../errors.ts'
import type { LoggerOptions } from '../monitoring/logger.ts'
import type { Services } from '../context.ts'
import { authenticate } from './middleware/authenticate.ts'
import { consolePages } from './middleware/console-pages.ts'
import { bodyLimit } from './middleware/body-limit.ts'
import { builtinAccounts } from './middleware/builtin-accounts.ts'
import { reportUnknownAddress } from './middleware/client-address.ts'
import { cors } from './middleware/cors.ts'
import { drainBody } from './middleware/drain-body.ts'
import { log } from './middleware/log.ts'
import { metrics } from './middleware/metrics.ts'
import { outliveClient } from './middleware/outlive-client.ts'
import { rateLimitHeaders } from './middleware/rate-limit-headers.ts'
import {
  limitAnonymous,
  limitByAddress,
  limitFailedWebhooks,
  limitRefreshes,
  limitUnmetered,
} from './middleware/rate-limit.ts'
import { requestId } from './middleware/request-id.ts'
import { requireHttps } from './middleware/require-https.ts'
import { securityHeaders } from './middleware/security-headers.ts'
import { findServices, requireServices } from './middleware/services.ts'
import { reportUnverifiedWebhooks } from './middleware/unverified-webhooks.ts'
import { flushUsage } from './middleware/usage.ts'
import { type App, mount, mountOtherMethods, mountOverlaps } from './mount.ts'
import { problemResponse } from './problem.ts'
import type { Route } from './route.ts'
import { everyRoute, routeTable } from './routes.ts'
import { consoleRoutes as ownRoutes } from './routes/console.ts'
import { providerRoutes } from './routes/console-provider.ts'
import { webhookBodyBytes } from './routes/system/webhook.ts'

const maxJsonBytes = 65_536

const table = routeTable(async () => (await import('../../docs/openapi.json', { with: { type: 'json' } })).default)

/** Those of the console, which are no part of the API. */
const consoleRoutes: readonly Route[] = [...ownRoutes, ...providerRoutes]

/** Every route that exists. */
export const routes: readonly Route[] = everyRoute(table)

export interface AppOptions<Bindings extends object> {
  /** Creates the services, once per isolate; throws AppError `misconfigured`. */
  readonly servicesFor: (bindings: Bindings) => Services
  /** Where log lines are written; the default is the console. */
  readonly log?: LoggerOptions
}

export interface HttpEntryPoint<Bindings extends object> {
  fetch(request: Request, bindings: Bindings, context: ExecutionContext): Response | Promise<Response>
}

function build(logging: LoggerOptions): App {
  const app: App = new Hono()
  app.use(
    outliveClient(),
    drainBody(),
    requestId(),
    findServices(),
    metrics(),
    log(logging),
    reportUnknownAddress(),
    flushUsage(),
    securityHeaders(),
    requireHttps(),
    cors(),
    rateLimitHeaders(),
  )
  app.onError((error, context) => problemResponse(error, context.get('requestId')))
  app.notFound((context) =>
    problemResponse(new AppError('not_found', 'There is no such path.'), context.get('requestId')),
  )

  mount(app, table.alive, limitUnmetered())
  app.use(requireServices())
  mount(
    app,
    table.signed,
    bodyLimit({ maxBytes: webhookBodyBytes, beyond: 'cut' }),
    reportUnverifiedWebhooks(),
    limitFailedWebhooks(),
  )
  const boundedJson = bodyLimit({ maxBytes: maxJsonBytes, beyond: 'refuse', count: limitAnonymous })
  mount(app, table.open, limitByAddress())
  app.use('/api/v1/auth/*', builtinAccounts(limitByAddress()))
  mount(app, table.accounts, boundedJson, limitRefreshes())
  mountOverlaps(app, table.private, limitByAddress())
  mount(app, table.private, boundedJson, authenticate())
  mount(app, consoleRoutes, boundedJson, limitRefreshes())
  app.use(limitByAddress())
  mountOtherMethods(app, [...routes, ...consoleRoutes])
  app.get('*', consolePages())
  return app
}

/** The Worker's `fetch`. */
export function createApp<Bindings extends object>(options: AppOptions<Bindings>): HttpEntryPoint<Bindings> {
  const app = build(options.log ?? {})
  return {
    fetch: (request, bindings, context) =>
      app.fetch(request, { services: () => options.servicesFor(bindings) }, context),
  }
}
