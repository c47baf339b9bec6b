// Structured logs: one JSON line for each event, only with the fields that are listed here. The only module that writes
// to the console. Redacts every text.

import { describeError } from './describe-error.ts'
import { type Redact, redact } from './redact.ts'

const maxTextLength = 1000

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** Fields with text: names, codes, ids. No amounts, no names of people or merchants, no bodies, no addresses. */
const textFields = [
  'api_key_id',
  // A pseudonym, like `network` and `user` (./pseudonyms.ts).
  'account',
  'action',
  'actor',
  // The id of the request or run that caused a message.
  'cause_id',
  'checkpoint',
  'client_request_id',
  'code',
  'cron',
  'environment',
  'exchange_id',
  'item_id',
  'item_product_id',
  'job',
  'key_id',
  'kid',
  'mail',
  // The code of an e-mail that was not sent; only in development.
  'mail_code',
  'message_id',
  'method',
  'mode',
  'network',
  'outcome',
  'phase',
  'plaid_error_code',
  'plaid_error_type',
  'plaid_item_id',
  'plaid_request_id',
  'policy',
  'product',
  'queue',
  'reason',
  'release',
  'request_id',
  'role',
  'route',
  'run_id',
  'scheme',
  'security_event',
  'target_id',
  'trigger',
  'user',
  'user_id',
  'variable',
  'webhook_code',
  'webhook_type',
] as const

/** Fields with a number; the names contain the units. */
const numberFields = [
  'attempt',
  'attempts',
  'bytes',
  'count',
  'crypto_calls',
  'crypto_ms',
  'database_calls',
  'database_ms',
  'delay_seconds',
  'duration_ms',
  'failed',
  'limit',
  'pages',
  'plaid_calls',
  'plaid_ms',
  'queued',
  'queued_ms',
  'removed',
  'restarts',
  'rows',
  'status',
] as const

const booleanFields = ['ok', 'replay', 'unmatched'] as const

/** Every field that a line can have besides `time`, `level` and `event`; docs/observability.md explains each. */
export const logFieldNames: readonly string[] = [
  ...textFields,
  ...numberFields,
  ...booleanFields,
  'error',
  'dropped_fields',
]

export type LogFields = Partial<
  Record<(typeof textFields)[number], string | null> &
    Record<(typeof numberFields)[number], number> &
    Record<(typeof booleanFields)[number], boolean> & {
      /** Any thrown value. It is described, never serialised. */
      readonly error: unknown
    }
>

export interface Logger {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** A logger whose events also have these fields. */
  child(fields: LogFields): Logger
}

export interface LoggerOptions {
  /** Receives one line without its line end; by default the console at that level. */
  readonly sink?: (line: string, level: LogLevel) => void
  readonly minimumLevel?: LogLevel
  readonly redactText?: Redact
  /** Called for each event that is logged, before it is. */
  readonly onEvent?: (event: string) => void
  /** The time of an event, in milliseconds since 1970. */
  readonly clock?: () => number
}

/** Cloudflare and Node determine the level of a line by the console method. */
function writeToConsole(line: string, level: LogLevel): void {
  // oxlint-disable-next-line no-console -- the one place that may
  console[level](line)
}

const typeOfField: ReadonlyMap<string, 'string' | 'number' | 'boolean'> = new Map([
  ...textFields.map((name) => [name, 'string'] as const),
  ...numberFields.map((name) => [name, 'number'] as const),
  ...booleanFields.map((name) => [name, 'boolean'] as const),
])

/** A logger whose events all have `base`. Never throws for any field. */
export function createLogger(base: LogFields, options: LoggerOptions = {}): Logger {
  const { sink = writeToConsole, minimumLevel = 'info', redactText = redact, clock = Date.now, onEvent } = options
  const write = (level: LogLevel, event: string, fields: LogFields = {}): void => {
    if (levels.indexOf(level) < levels.indexOf(minimumLevel)) return
    onEvent?.(event)
    const allowed = allowedFields({ ...base, ...fields }, redactText)
    sink(JSON.stringify({ time: new Date(clock()).toISOString(), level, event: redactText(event), ...allowed }), level)
  }
  return {
    debug: (event, fields) => write('debug', event, fields),
    info: (event, fields) => write('info', event, fields),
    warn: (event, fields) => write('warn', event, fields),
    error: (event, fields) => write('error', event, fields),
    child: (fields) => createLogger({ ...base, ...fields }, options),
  }
}

/** Checks the list again at run time, because a value can have more members than its type. */
function allowedFields(fields: LogFields, redactText: Redact): Record<string, unknown> {
  const allowed: Record<string, unknown> = {}
  let dropped = 0
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === null) continue
    if (name === 'error') allowed['error'] = describeError(value, redactText)
    else if (typeof value !== typeOfField.get(name)) dropped += 1
    else allowed[name] = typeof value === 'string' ? redactText(value).slice(0, maxTextLength) : value
  }
  return dropped === 0 ? allowed : { ...allowed, dropped_fields: dropped }
}
