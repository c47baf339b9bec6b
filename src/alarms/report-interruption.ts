// The one alarm that needs no store: that the rules cannot be evaluated.
import type { Ctx } from '../context.ts'
import type { Channels } from '../monitoring/alarms/deliver.ts'
import { interruptedRule } from '../monitoring/alarms/rules/alarms.ts'
import { notificationOf } from '../monitoring/alarms/step.ts'

const hourMs = 60 * 60_000
/** The hour that this isolate has reported. Without the store nothing else is known; the id is the same in each isolate. */
let reportedHour = -1

/** Reports once an hour and isolate, always under the id of the hour. Never rejects. */
export async function reportInterruption(
  { log }: Ctx,
  channels: Channels,
  nowMs: number,
  error: unknown,
): Promise<void> {
  log.error('alarms_not_evaluated', { error })
  const hour = Math.floor(nowMs / hourMs)
  if (hour === reportedHour) return
  const notification = notificationOf(interruptedRule, 'fired', { sinceMs: hour * hourMs, atMs: nowMs, value: null })
  channels.sentry(notification)
  try {
    await channels.webhook?.(notification)
    reportedHour = hour
  } catch (failure) {
    channels.onFailure(notification, failure)
  }
}
