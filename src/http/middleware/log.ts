// Logs one event per request, and reports errors to the operator. Names the route, never the path, which contains ids. No body,
// no query, no address: users and networks are pseudonyms.
import type { Context } from 'hono'
import { LOCAL_ISSUER } from '../../auth/access-token.ts'
import type { Actor, LogNotes } from '../../context.ts'
import type { Identity } from '../../db/core/scope.ts'
import { AppError, type ErrorCode } from '../../errors.ts'
import { createLogger, type LogFields, type LoggerOptions } from '../../monitoring/logger.ts'
import { observeOperations, type Operation } from '../../monitoring/operation.ts'
import type { SecurityEvent } from '../../monitoring/security-events.ts'
import { isTraced } from '../../monitoring/sentry-event.ts'
import { createOperationTotals } from '../../monitoring/operation-totals.ts'
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
    const totals = createOperationTotals()
    const observers = services instanceof AppError ? [] : services.observers
    await observeOperations([totals.observe, ...observers], next, context.get('requestId'))
    const endedAtMs = Date.now()
    const who = await whoIn(context, startedAtMs)
    write(context, endedAtMs - startedAtMs, { ...who, ...totals.fields() })
    report(context, { startedAtMs, endedAtMs, user: who.user ?? null, operations: totals.operations() })
  }
}

/** The user of the request, or the one that it signed in. */
function identityIn(actor: Actor, { accountId, signedIn }: LogNotes): Identity | null {
  if (actor.kind === 'user') return actor.identity
  if (signedIn !== undefined) return signedIn
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
  const key = actor.kind === 'user' && actor.apiKey !== undefined ? { api_key_id: actor.apiKey.id } : {}
  return { network, user, account, role: actor.kind === 'user' ? actor.role : null, ...key }
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

function write(context: Context<HttpEnvironment>, durationMs: number, found: LogFields): void {
  const { error, res } = context
  const services = context.get('services')
  const isLoud = error !== undefined && isReportable(error)
  const known = error instanceof AppError ? { code: error.code, reason: error.reason ?? null } : {}
  context.get('log')[isLoud ? 'error' : 'info']('http_request', {
    method: methodIn(context),
    route: context.get('route'),
    status: res.status,
    duration_ms: durationMs,
    actor: context.get('actor').kind,
    release: services instanceof AppError ? null : services.release,
    ...found,
    ...securityOf(context),
    ...known,
    ...(isLoud ? { error } : {}),
  })
}

interface Ended {
  readonly startedAtMs: number
  readonly endedAtMs: number
  /** The pseudonym of the user. */
  readonly user: string | null
  readonly operations: readonly Operation[]
}

function report(context: Context<HttpEnvironment>, { user, ...ended }: Ended): void {
  const services = context.get('services')
  if (services instanceof AppError || services.config.sentry === null) return
  const { error, executionCtx } = context
  const requestId = context.get('requestId')
  const isReported = error !== undefined && isReportable(error)
  if (!isReported && !isTraced(requestId, services.config.sentry.tracesSampleRate)) return
  const route = context.get('route')
  const send = (allowed: 'yes' | 'anonymously'): void => {
    // By the id of the request, log lines name the user.
    const person = allowed === 'yes' ? { requestId, ...(user === null ? {} : { user }) } : {}
    const reporter = services.reporter(executionCtx, { ...person, mayLinger: true })
    if (isReported) reporter.captureError(error, { route })
    const name = `${methodIn(context)} ${route}`
    reporter.captureOperation({ name, op: 'http.server', ok: context.res.status < 500, ...ended })
  }
  // A request that signs a person in concerns them too.
  const identity = identityIn(context.get('actor'), context.get('notes'))
  if (identity === null) return send('yes')
  executionCtx.waitUntil(
    mayReport(services.api, identity).then((allowed) => (allowed === 'no' ? undefined : send(allowed))),
  )
}
