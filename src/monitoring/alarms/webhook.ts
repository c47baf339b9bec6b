// Sends a notification to the operator's receiver: as Standard Webhooks (standardwebhooks.com), or in Slack's form.
// It contains no personal data, no amounts and no ids of users: names, numbers and times of rules alone.
import { signWebhook } from '../../crypto/standard-webhooks.ts'
import { withDeadline } from '../../timeout.ts'
import type { Notification } from './book.ts'

export interface WebhookTarget {
  readonly url: string
  readonly format: 'standard' | 'slack'
  /** Each is `whsec_` and base64; empty with the format `slack`. A receiver accepts a signature by any of them. */
  readonly secrets: readonly string[]
}

export interface WebhookOptions {
  readonly target: WebhookTarget
  readonly environment: string
  readonly fetch: (request: Request) => Promise<Response>
  readonly timeoutMs?: number
}

/** Sends one notification. Rejects unless the receiver returns 2xx; the error contains neither the URL nor the response. */
export type SendAlert = (notification: Notification, nowMs: number) => Promise<void>

const timeoutMs = 10_000

const time = (ms: number): string => new Date(ms).toISOString()

function standardBody(notification: Notification, environment: string): string {
  const { id, kind, alarm, severity, summary, unit, value, threshold, sinceMs, atMs } = notification
  const data = {
    id,
    alarm,
    state: kind,
    severity,
    summary,
    environment,
    since: time(sinceMs),
    value,
    threshold,
    unit,
    runbook: `docs/runbook.md#${alarm}`,
  }
  return JSON.stringify({ type: `alarm.${kind}`, timestamp: time(atMs), data })
}

function slackBody(notification: Notification, environment: string): string {
  const { kind, alarm, severity, summary, unit, value, threshold, sinceMs, id } = notification
  const head = kind === 'fired' ? `:rotating_light: *${alarm}* (${severity})` : `:white_check_mark: *${alarm}* resolved`
  const measured = value === null ? 'no data' : `${Math.round(value * 100) / 100} ${unit}`
  const text = [
    `${head} · ${environment}`,
    ...(kind === 'fired' ? [summary] : []),
    `Value: ${measured}, threshold: ${threshold} ${unit}. Since ${time(sinceMs)}. docs/runbook.md#${alarm}`,
    `_${id}_`,
  ].join('\n')
  return JSON.stringify({ text })
}

export function createWebhook({ target, environment, fetch, ...options }: WebhookOptions): SendAlert {
  const { url, format, secrets } = target
  return async (notification, nowMs) => {
    const body = (format === 'slack' ? slackBody : standardBody)(notification, environment)
    const headers = new Headers({ 'content-type': 'application/json', 'user-agent': 'wealthnavigator-edge' })
    if (secrets.length > 0) {
      const seconds = Math.floor(nowMs / 1000)
      headers.set('webhook-id', notification.id)
      headers.set('webhook-timestamp', String(seconds))
      const sign = (secret: string) => signWebhook(secret, notification.id, seconds, body)
      headers.set('webhook-signature', (await Promise.all(secrets.map(sign))).join(' '))
    }
    const status = await withDeadline(options.timeoutMs ?? timeoutMs, async (signal) => {
      // A redirect is not followed: only the configured host gets the notification.
      const response = await fetch(new Request(url, { method: 'POST', body, headers, redirect: 'manual', signal }))
      // Nothing of the response is read: it may be endless.
      await response.body?.cancel()
      return response.status
    })
    if (status < 200 || status > 299) throw new Error(`the receiver of alarms returned ${status}`)
  }
}
