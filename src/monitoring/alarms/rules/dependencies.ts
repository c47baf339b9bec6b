// Alarms about the systems that this service depends on.
import { hour, onEvents, percentOf } from '../builders.ts'
import { expectedCodes } from './expected-codes.ts'
import type { Readings } from '../readings.ts'
import type { Rule } from '../rule.ts'

const plaidMetric = 'wn_plaid_calls_total'
const databaseMetric = 'wn_database_duration_seconds'
const databaseErrorsMetric = 'wn_database_errors_total'
const connectionsMetric = 'wn_database_connections'
const connectionLimitMetric = 'wn_database_connections_limit'
const leastDatabaseCalls = 3
const leastPlaidCalls = 10

/** SQLSTATE classes of a database that is unreachable, full, shutting down or broken, and calls without a response. */
export const isOutage = (code: string): boolean => /^(?:TIMEOUT|NO_ANSWER|(?:08|25006|28|3D|53|57|58|XX))/.test(code)

function databaseErrors(readings: Readings): number | null {
  const codes = readings.valuesOf(databaseErrorsMetric, 5, 'code').filter(isOutage)
  const failed = readings.sum(databaseErrorsMetric, 5, { code: codes })
  return percentOf(failed, readings.count(databaseMetric, 5), leastDatabaseCalls)
}

/**
 * Endpoints whose argument a client can make up, with no login or with one: key ids of webhooks, public tokens, link
 * tokens. They must not page the operator. Their outages fire webhook_keys_unavailable, errors_5xx and
 * exchanges_stuck.
 */
export const clientEndpoints: ReadonlySet<string> = new Set([
  '/webhook_verification_key/get',
  '/item/public_token/exchange',
  '/link/token/get',
])

/** Some options of a link token come from clients, such as its language. The others are ours, so the endpoint counts. */
const refusesOptions = (endpoint: string, code: string): boolean =>
  endpoint === '/link/token/create' && code === 'INVALID_FIELD'

/** The largest share of failed calls of an endpoint. */
function worstEndpoint(readings: Readings): number | null {
  const codes = readings.valuesOf(plaidMetric, 15, 'code').filter((code) => !expectedCodes.has(code))
  const endpoints = readings.valuesOf(plaidMetric, 15, 'endpoint').filter((endpoint) => !clientEndpoints.has(endpoint))
  const shares = endpoints.flatMap((endpoint) => {
    const all = readings.sum(plaidMetric, 15, { endpoint })
    const failures = codes.filter((code) => !refusesOptions(endpoint, code))
    return percentOf(readings.sum(plaidMetric, 15, { endpoint, code: failures }), all, leastPlaidCalls) ?? []
  })
  return shares.length === 0 ? null : Math.max(...shares)
}

/** The cause of many others: it is evaluated first. */
export const databaseFailing: Rule = {
  name: 'database_failing',
  severity: 'page',
  summary: 'Calls of the database fail.',
  unit: 'percent',
  reads: [databaseMetric, databaseErrorsMetric],
  measure: databaseErrors,
  windowMinutes: 5,
  firesAt: 20,
  clearsBelow: 5,
  afterMinutes: 1,
  clearAfterMinutes: 5,
  absence: {
    kind: 'quiet',
    why: 'the chain of the audit trail calls the database each minute; without it, cron_audit_missing fires',
  },
}

export const dependencies: readonly Rule[] = [
  {
    name: 'database_connections',
    severity: 'ticket',
    summary: 'The database has few connections left.',
    unit: 'percent',
    reads: [connectionsMetric, connectionLimitMetric],
    measure: (readings) => percentOf(readings.last(connectionsMetric, 12), readings.last(connectionLimitMetric, 12), 1),
    windowMinutes: 12,
    firesAt: 80,
    clearsBelow: 70,
    afterMinutes: 10,
    clearAfterMinutes: 5,
    absence: { kind: 'same' },
  },
  {
    name: 'plaid_failing',
    severity: 'page',
    summary: 'Most calls of one of Plaid’s endpoints fail.',
    unit: 'percent',
    reads: [plaidMetric],
    measure: worstEndpoint,
    windowMinutes: 15,
    firesAt: 50,
    clearsBelow: 20,
    afterMinutes: 5,
    clearAfterMinutes: 10,
    absence: { kind: 'quiet', why: 'without live items, Plaid is not called' },
  },
  onEvents(
    { name: 'plaid_quota_failing', severity: 'ticket', summary: 'Calls of Plaid are not counted against its limits.' },
    15,
  ),
  onEvents(
    {
      name: 'queue_failing',
      heldBy: ['database_failing'],
      severity: 'ticket',
      summary: 'Messages cannot be sent to the queue.',
    },
    15,
    3,
  ),
  onEvents({ name: 'mails_failing', severity: 'ticket', summary: 'E-mails to users cannot be sent.' }, hour, 3),
  onEvents(
    { name: 'mails_withheld', severity: 'ticket', summary: 'E-mails are withheld: their hourly limit is used up.' },
    hour,
  ),
  onEvents({ name: 'sentry_failing', severity: 'ticket', summary: 'Reports do not reach Sentry.' }, 30, 3),
]
