// One wide event a request, and a report of what an operator should hear of. Names the route, never the path: a path
// holds ids. No body, no query, no address.
import type { Context } from 'hono'
import { AppError } from '../../errors.ts'
import { createLogger, type LoggerOptions } from '../../monitoring/logger.ts'
import { isReportable } from '../problem.ts'
import type { HttpEnvironment, Middleware } from '../request-state.ts'

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Makes the request's logger, which also removes the configured secrets, and uses it last. */
export function log(options: LoggerOptions): Middleware {
  return async (context, next) => {
    const startedAtMs = Date.now()
    const services = context.get('services')
    const redaction = services instanceof AppError ? {} : { redactText: services.redact }
    context.set('log', createLogger({ request_id: context.get('requestId') }, { ...redaction, ...options }))
    await next()
    const endedAtMs = Date.now()
    write(context, endedAtMs - startedAtMs)
    report(context, startedAtMs, endedAtMs)
  }
}

function write(context: Context<HttpEnvironment>, durationMs: number): void {
  const { error, req, res } = context
  const isLoud = error !== undefined && isReportable(error)
  const known = error instanceof AppError ? { code: error.code, reason: error.reason ?? null } : {}
  context.get('log')[isLoud ? 'error' : 'info']('http_request', {
    method: methods.has(req.method) ? req.method : 'other',
    route: context.get('route'),
    status: res.status,
    duration_ms: durationMs,
    actor: context.get('actor').kind,
    ...known,
    ...(isLoud ? { error } : {}),
  })
}

function report(context: Context<HttpEnvironment>, startedAtMs: number, endedAtMs: number): void {
  const services = context.get('services')
  if (services instanceof AppError || services.config.sentry === null) return
  const reporter = services.reporter(context.executionCtx)
  const route = context.get('route')
  const { error } = context
  if (error !== undefined && isReportable(error))
    reporter.captureError(error, { route, request_id: context.get('requestId') })
  const name = `${context.req.method} ${route}`
  reporter.captureOperation({ name, op: 'http.server', startedAtMs, endedAtMs, ok: context.res.status < 500 })
}
