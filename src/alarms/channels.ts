// Where the notifications of alarms go: to Sentry, and to the operator's receiver.
import type { Ctx } from '../context.ts'
import type { Channels } from '../monitoring/alarms/deliver.ts'
import type { Notification } from '../monitoring/alarms/book.ts'
import { withTimeout } from '../timeout.ts'

const sentryMs = 10_000

const labelsOf = ({ alarm, attempts }: Notification) => ({ reason: alarm, attempts })

/** `settled` waits a bounded time until Sentry has the reports. */
export function openChannels({ services, log }: Ctx, nowMs: number): Channels & { settled: () => Promise<void> } {
  const sending: Promise<unknown>[] = []
  const reporter = services.reporter({ waitUntil: (promise) => sending.push(promise) })
  const { sendAlert: send } = services
  return {
    webhook: send === null ? null : async (notification) => await send(notification, nowMs),
    sentry: ({ alarm, kind, severity, id }) => {
      if (reporter.isPaused()) return false
      reporter.captureMessage(`alarm ${alarm} ${kind}`, { alarm, state: kind, severity, alarm_id: id })
      return true
    },
    onFailure: (notification, error) => log.warn('alarm_not_delivered', { ...labelsOf(notification), error }),
    onGivenUp: (notification) => log.error('alarm_given_up', labelsOf(notification)),
    settled: async () => {
      await withTimeout(sentryMs, Promise.allSettled(sending), () => [])
    },
  }
}
