// Logs one event per request, and reports errors to the operator. Names the route, never the path, which contains ids. No body,
// no query, no address: users and networks are pseudonyms.
import type { Context } from 'hono'
import { LOCAL_ISSUER } from '../../auth/access-token.ts'
import type { Actor, LogNotes } from '../../context.ts'
import type { Identity } from '../../db/core/scope.ts'
import { AppError, type ErrorCode } from '../../errors.ts'
import { createLogger, type LogFields, type LoggerOptions } from '../../monitoring/logger.ts'
import { observeOperations } from '../../monitoring/operation.ts'
import type { SecurityEvent } from '../../monitoring/security-events.ts'
import { mayReport } from '../../privacy/diagnostics.ts'
import { networkOf } from '../../ratelimit/address.ts'
import { clientIn } from '../client.ts'
import { isReportable } from '../problem.ts'
import type { HttpEnvironment, Middleware } from '../request-state.ts'

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** An unknown method is not used as a name. */
export const methodIn = ({ req }: Context<HttpEnvironment>): string => (methods.has(req.method) ? req.method : 'other')

/** Creates the logger of the request, which also removes the configured secrets, and logs the request at the end. */
export function log(options: LoggerOptions): Middleware {
  return async (context, next) => {
    const startedAtMs = Date.now()
    const services = context.get('services')
    const redaction = services instanceof AppError ? {} : { redactText: services.redact, onEvent: services.countEvent }
    const ids = { request_id: context.get('requestId'), client_request_id: context.get('clientRequestId') }
    context.set('log', createLogger(ids, { ...redaction, ...options }))
    await observeOperations(services instanceof AppError ? [] : services.observers, next)
    const endedAtMs = Date.now()
    write(context, endedAtMs - startedAtMs, await whoIn(context, startedAtMs))
    report(context, startedAtMs, endedAtMs)
  }
}

/** The user of the request, or the one that it signed in. */
function identityIn(actor: Actor, { accountId }: LogNotes): Identity | null {
  if (actor.kind === 'user') return actor.identity
  return accountId === undefined ? null : { issuer: LOCAL_ISSUER, subject: accountId }
}

/** Pseudonyms of the user, the account and the network; nothing without a configuration. */
async function whoIn(context: Context<HttpEnvironment>, atMs: number): Promise<LogFields> {
  const services = context.get('services')
  if (services instanceof AppError) return {}
  const { pseudonyms } = services
  const [actor, notes] = [context.get('actor'), context.get('notes')]
  const identity = identityIn(actor, notes)
  const [network, user, account] = await Promise.all([
    pseudonyms.network(networkOf(clientIn(context)), new Date(atMs)),
    identity && pseudonyms.user(identity),
    notes.email === undefined ? null : pseudonyms.account(notes.email),
  ])
  return { network, user, account, role: actor.kind === 'user' ? actor.role : null }
}

/** The security event of a refusal, on any route. */
const findings: Readonly<Partial<Record<ErrorCode, SecurityEvent>>> = {
  unauthorized: 'authentication_refused',
  forbidden: 'authorization_refused',
  invalid_code: 'second_factor_refused',
  rate_limited: 'rate_limit_refused',
  webhook_refused: 'webhook_refused',
}

function securityOf(context: Context<HttpEnvironment>): LogFields {
  const { error } = context
  const finding = error instanceof AppError ? findings[error.code] : undefined
  const event = context.get('notes').event ?? finding ?? context.get('event')
  return event === null ? {} : { security_event: event, target_id: context.get('targetId') }
}

function write(context: Context<HttpEnvironment>, durationMs: number, who: LogFields): void {
  const { error, res } = context
  const isLoud = error !== undefined && isReportable(error)
  const known = error instanceof AppError ? { code: error.code, reason: error.reason ?? null } : {}
  context.get('log')[isLoud ? 'error' : 'info']('http_request', {
    method: methodIn(context),
    route: context.get('route'),
    status: res.status,
    duration_ms: durationMs,
    actor: context.get('actor').kind,
    ...who,
    ...securityOf(context),
    ...known,
    ...(isLoud ? { error } : {}),
  })
}

function report(context: Context<HttpEnvironment>, startedAtMs: number, endedAtMs: number): void {
  const services = context.get('services')
  if (services instanceof AppError || services.config.sentry === null) return
  const route = context.get('route')
  const { error, executionCtx } = context
  const chance = services.random()
  const isReported = error !== undefined && isReportable(error)
  if (!isReported && chance >= services.config.sentry.tracesSampleRate) return
  const send = (allowed: 'yes' | 'anonymously'): void => {
    const reporter = services.reporter(executionCtx, () => chance)
    // By the id of the request, log lines name the user.
    const request = allowed === 'yes' ? { request_id: context.get('requestId') } : {}
    if (isReported) reporter.captureError(error, { route, ...request })
    const name = `${methodIn(context)} ${route}`
    reporter.captureOperation({ name, op: 'http.server', startedAtMs, endedAtMs, ok: context.res.status < 500 })
  }
  const actor = context.get('actor')
  if (actor.kind !== 'user') return send('yes')
  executionCtx.waitUntil(
    mayReport(services.api, actor.identity).then((allowed) => (allowed === 'no' ? undefined : send(allowed))),
  )
}
