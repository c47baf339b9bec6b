// One delivery of a message: one log event with its outcome, its calls and its cause, a report of its failure, and a
// trace if it is in the sample.
import type { Ctx } from '../context.ts'
import { findDiagnosticsSubject } from '../db/privacy/diagnostics.ts'
import { kindOf, type MessageKind, type SyncMessage } from '../messages/message.ts'
import type { LogFields } from '../monitoring/logger.ts'
import { observeOperations } from '../monitoring/operation.ts'
import type { ReportSubject } from '../monitoring/sentry.ts'
import { isTraced } from '../monitoring/sentry-event.ts'
import { createOperationTotals, type OperationTotals } from '../monitoring/operation-totals.ts'

/** A message as its consumer sees it. Acknowledge it or retry it, once. */
export interface Delivery {
  readonly id: string
  readonly attempts: number
  ack(): void
  retry(options: { readonly delaySeconds: number }): void
  /** Adds an error to the report of this delivery. */
  fail(error: unknown): void
}

const nameOf = (body: SyncMessage | null): MessageKind | 'malformed' => (body === null ? 'malformed' : kindOf(body))

/** Whether it was sent without a delay. Sweeps spread their messages over minutes, and steps of other work wait. */
const isSentImmediately = (body: SyncMessage | null): boolean =>
  body !== null && ('link_session_id' in body || ('item_product_id' in body && body.reason !== 'sweep'))

function idsIn(message: SyncMessage | null): LogFields {
  if (message === null) return {}
  if ('item_product_id' in message) return { item_product_id: message.item_product_id, trigger: message.reason }
  return 'rotate_item_id' in message ? { item_id: message.rotate_item_id } : {}
}

interface End {
  readonly outcome: 'acknowledged' | 'retried' | 'none'
  readonly delaySeconds?: number
  readonly errors: readonly unknown[]
}

function track(message: Message): { delivery: Delivery; end: () => End } {
  let end: Omit<End, 'errors'> = { outcome: 'none' }
  const errors: unknown[] = []
  return {
    end: () => ({ ...end, errors }),
    delivery: {
      id: message.id,
      attempts: message.attempts,
      ack: () => {
        end = { outcome: 'acknowledged' }
        message.ack()
      },
      retry: ({ delaySeconds }) => {
        end = { outcome: 'retried', delaySeconds }
        message.retry({ delaySeconds })
      },
      fail: (error) => void errors.push(error),
    },
  }
}

interface Delivered {
  readonly message: Message
  /** Null if it is malformed. */
  readonly body: SyncMessage | null
  /** The queue's name, for the event. */
  readonly queue: string
  /** Whether it failed in all deliveries before. */
  readonly isDead?: boolean
}

/** Handles a message, counts it and writes its event. */
export async function deliver(
  ctx: Ctx,
  { message, body, queue, isDead = false }: Delivered,
  handle: (ctx: Ctx, delivery: Delivery) => Promise<void>,
): Promise<void> {
  const startedAtMs = Date.now()
  const causeId = body?.cause_id
  const { delivery, end } = track(message)
  const totals = createOperationTotals()
  const log = ctx.log.child({ message_id: message.id, ...(causeId === undefined ? {} : { cause_id: causeId }) })
  await observeOperations([totals.observe], () => handle({ ...ctx, log }, delivery), causeId)
  const { outcome, delaySeconds, errors } = end()
  const durationMs = Date.now() - startedAtMs
  const queuedMs = Math.max(0, startedAtMs - message.timestamp.getTime())
  const { metrics } = ctx.services
  if (isDead) metrics.count('wn_dead_letters_total')
  else metrics.count('wn_messages_total', { kind: nameOf(body), outcome })
  if (!isDead && message.attempts === 1 && isSentImmediately(body))
    metrics.observe('wn_queue_wait_seconds', queuedMs, { kind: nameOf(body) })
  log.info('queue_message', {
    queue,
    job: nameOf(body),
    outcome,
    attempt: message.attempts,
    duration_ms: durationMs,
    queued_ms: queuedMs,
    ok: errors.length === 0,
    ...(delaySeconds === undefined ? {} : { delay_seconds: delaySeconds }),
    ...idsIn(body),
    ...totals.fields(),
  })
  report(ctx, body, { startedAtMs, durationMs, errors, totals })
}

interface Result {
  readonly startedAtMs: number
  readonly durationMs: number
  readonly errors: readonly unknown[]
  readonly totals: OperationTotals
}

/** Reports errors and the trace in the background, so that the queue does not wait for them. */
function report(ctx: Ctx, body: SyncMessage | null, { startedAtMs, durationMs, errors, totals }: Result): void {
  const { reports, services } = ctx
  const { sentry } = services.config
  if (reports === undefined || sentry === null) return
  const traced = isTraced(body?.cause_id ?? ctx.requestId, sentry.tracesSampleRate)
  if (errors.length === 0 && !traced) return
  const name = nameOf(body)
  const send = async (): Promise<void> => {
    const subject = await subjectOf(ctx, body)
    if (subject === null) return
    const reporter = services.reporter(reports, subject)
    for (const error of errors) reporter.captureError(error, { job: name })
    reporter.captureOperation({
      name: `message ${name}`,
      op: 'queue.process',
      startedAtMs,
      endedAtMs: startedAtMs + durationMs,
      ok: errors.length === 0,
      operations: totals.operations(),
    })
  }
  reports.waitUntil(send())
}

/** The ids that a report contains; null if the person does not allow diagnostics. */
async function subjectOf(ctx: Ctx, body: SyncMessage | null): Promise<ReportSubject | null> {
  const ids = {
    requestId: ctx.requestId,
    ...(body?.cause_id === undefined ? {} : { causeId: body.cause_id }),
  }
  const row = rowOf(body)
  if (row === null) return ids
  try {
    const found = await findDiagnosticsSubject(ctx.services.jobs, row)
    if (found === null) return ids
    return found.allowed ? { ...ids, user: await ctx.services.pseudonyms.user(found.identity) } : null
  } catch {
    // A failing database must be reported. Such a report has no id that leads to the person.
    return {}
  }
}

function rowOf(body: SyncMessage | null): Parameters<typeof findDiagnosticsSubject>[1] | null {
  if (body === null) return null
  if ('item_product_id' in body) return { table: 'item_products', id: body.item_product_id }
  if ('rotate_item_id' in body) return { table: 'items', id: body.rotate_item_id }
  return 'link_session_id' in body ? { table: 'link_sessions', id: body.link_session_id } : null
}
