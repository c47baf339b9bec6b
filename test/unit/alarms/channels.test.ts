// An alarm is reported only while Sentry accepts reports.
import { expect, it } from 'vitest'
import { openChannels } from '../../../src/alarms/channels.ts'
import type { Ctx, Services } from '../../../src/context.ts'
import { interruptedRule } from '../../../src/monitoring/alarms/rules/alarms.ts'
import { notificationOf } from '../../../src/monitoring/alarms/step.ts'
import { createLogger } from '../../../src/monitoring/logger.ts'
import { servicesOf } from '../http/serve-app.ts'

const notification = notificationOf(interruptedRule, 'fired', { sinceMs: 0, atMs: 0, value: null })

/** What Sentry gets of the notification, and whether the channel says that it has it. */
function report(isPaused: boolean): { readonly isReported: boolean; readonly messages: readonly string[] } {
  const messages: string[] = []
  const reporter: Services['reporter'] = () => ({
    captureError: () => undefined,
    captureMessage: (message) => void messages.push(message),
    isPaused: () => isPaused,
    captureOperation: () => undefined,
    captureCheckIn: () => undefined,
  })
  const ctx: Ctx = {
    services: { ...servicesOf(), reporter },
    actor: { kind: 'cron', name: 'alarms' },
    requestId: 'run',
    now: () => new Date(),
    log: createLogger({}, { sink: () => undefined }),
  }
  return { isReported: openChannels(ctx, 0).sentry(notification), messages }
}

it('an alarm is reported to Sentry, and is not while Sentry is paused', () => {
  expect(report(false)).toEqual({ isReported: true, messages: ['alarm alarms_interrupted fired'] })
  expect(report(true)).toEqual({ isReported: false, messages: [] })
})
