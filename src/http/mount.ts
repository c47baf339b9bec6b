// Mounts declared routes on Hono; no other file connects routes with the framework. Makes no access decision: app.ts passes
// the middleware of a route to `mount`.
import type { AuditAction } from '../audit/actions.ts'
import type { Context, Hono } from 'hono'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { RouteEvent } from '../monitoring/security-events.ts'
import type { Services } from '../context.ts'
import { clientIn } from './client.ts'
import { uuidIn } from './middleware/request-id.ts'
import type { HttpEnvironment, Middleware } from './request-state.ts'
import type { Route } from './route.ts'

export type App = Hono<HttpEnvironment>

/** @throws AppError `misconfigured` if there are none */
export function servicesOf(context: Context<HttpEnvironment>): Services {
  const services = context.get('services')
  if (services instanceof AppError) throw services
  return services
}

function contextOf(context: Context<HttpEnvironment>, recorded: Set<AuditAction>): Ctx {
  return {
    // Read on use: /health works without a configuration.
    get services() {
      return servicesOf(context)
    },
    actor: context.get('actor'),
    client: clientIn(context),
    requestId: context.get('requestId'),
    correlationId: context.get('clientRequestId'),
    now: () => new Date(),
    log: context.get('log'),
    audited: (action) => recorded.add(action),
    note: (notes) => context.set('notes', { ...context.get('notes'), ...notes }),
  }
}

/**
 * A success of a route that made none of the rows that it declares. In development it fails, so that a test finds it;
 * elsewhere the change is made, and the operator learns of it.
 */
function requireAudit(
  context: Context<HttpEnvironment>,
  { audit, id }: Route,
  recorded: ReadonlySet<AuditAction>,
): void {
  if (audit === undefined || 'none' in audit || audit.some((action) => recorded.has(action))) return
  const error = new AppError('internal', 'Something went wrong on our side.', { reason: `no audit row of ${id}` })
  if (!servicesOf(context).config.strict) throw error
  context.get('log').error('audit_missing', { error })
}

async function answer(context: Context<HttpEnvironment>, route: Route): Promise<Response> {
  const recorded = new Set<AuditAction>()
  const {
    status,
    body,
    headers: own = {},
  } = await route.respond(contextOf(context, recorded), {
    params: context.req.param(),
    query: new URL(context.req.url).searchParams,
    headers: context.req.raw.headers,
    readBody: context.get('readBody'),
  })
  requireAudit(context, route, recorded)
  const headers = new Headers(route.cacheControl === undefined ? {} : { 'cache-control': route.cacheControl })
  for (const [name, values] of Object.entries(own)) for (const value of [values].flat()) headers.append(name, value)
  // A WebSocket, whose response only its object can make.
  if (body instanceof Response) return body
  if (body === undefined) return new Response(null, { status, headers })
  if (body instanceof ReadableStream) return new Response(body, { status, headers })
  const isText = route.mediaType !== undefined && typeof body === 'string'
  headers.set('content-type', isText ? route.mediaType : 'application/json')
  return new Response(isText ? body : JSON.stringify(body), { status, headers })
}

/** `/items/{id}` as Hono writes it. */
const pattern = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

/** Every action of an administrator is a security event. */
function eventOf({ access, method, event }: Route): RouteEvent | null {
  if (event !== undefined) return event
  if (access !== 'admin') return null
  return method === 'GET' ? 'admin_read' : 'admin_change'
}

/** Mounts routes; `before` runs for these routes only, in order. */
export function mount(app: App, routes: readonly Route[], ...before: readonly Middleware[]): void {
  for (const route of routes)
    app.on(
      route.method,
      pattern(route.path),
      async (context, next) => {
        context.set('route', route.path)
        context.set('limit', route.limit ?? null)
        context.set('event', eventOf(route))
        const [named] = Object.values<string>(context.req.param())
        context.set('targetId', uuidIn(named))
        await next()
      },
      ...before,
      async (context) => {
        try {
          return await answer(context, route)
        } catch (error) {
          // Hono passes thrown values that are not Errors on to the platform.
          throw error instanceof Error ? error : new TypeError(`a value of type ${typeof error} was thrown`)
        }
      },
    )
}

/** The methods of a path: `GET, HEAD, OPTIONS`. */
function allowed(routes: readonly Route[]): string {
  const methods = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  return [...methods, 'OPTIONS'].join(', ')
}

const notAllowed = (allow: string): AppError =>
  new AppError('method_not_allowed', `This path supports ${allow}.`, { extensions: { allow } })

type Steps = readonly string[]

/** Whether `{name}` in the second path matches the first path. */
const isTakenBy = (steps: Steps, others: Steps): boolean =>
  steps.length === others.length &&
  others.every((step, index) => step === steps[index] || (step.startsWith('{') && !steps[index]?.startsWith('{')))

/**
 * Refuses methods of a fixed path that another route would match with its `{id}`: `PATCH /things/latest` and
 * `PATCH /things/{id}`. Mount it before that route; `before` runs for these routes only.
 */
export function mountOverlaps(app: App, routes: readonly Route[], ...before: readonly Middleware[]): void {
  const taking = routes
    .filter(({ path }) => path.includes('{'))
    .map(({ path, method }) => ({ path, method, steps: path.split('/') }))
  for (const [path, ofPath] of Map.groupBy(routes, (route) => route.path)) {
    const allow = allowed(ofPath)
    const steps = path.split('/')
    const taken = taking.filter(
      (other) =>
        other.path !== path && isTakenBy(steps, other.steps) && !ofPath.some(({ method }) => method === other.method),
    )
    for (const { method } of taken)
      app.on([method], [pattern(path)], ...before, (context) => {
        context.set('route', path)
        throw notAllowed(allow)
      })
  }
}

/** Returns 405 for methods that a known path does not have, and its methods for OPTIONS. */
export function mountOtherMethods(app: App, routes: readonly Route[]): void {
  for (const [path, ofPath] of Map.groupBy(routes, (route) => route.path)) {
    const allow = allowed(ofPath)
    app.all(pattern(path), (context) => {
      context.set('route', path)
      if (context.req.method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow } })
      throw notAllowed(allow)
    })
  }
}
