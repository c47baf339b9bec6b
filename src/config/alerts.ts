// Where alarms are sent.
import type { Environment, Violation } from './variables.ts'

export interface AlertsConfig {
  readonly url: string
  readonly format: 'standard' | 'slack'
  /** Of Standard Webhooks: the current one, and the previous one during a rotation; empty with `slack`. */
  readonly secrets: readonly string[]
}

export function alertsOf({
  ALERT_WEBHOOK_URL: url,
  ALERT_WEBHOOK_SECRET: secret,
  ALERT_WEBHOOK_SECRET_PREVIOUS: previous,
  ALERT_WEBHOOK_FORMAT: format = 'standard',
}: Environment): AlertsConfig | null {
  const secrets = [secret, previous].filter((each) => each !== undefined)
  return url === undefined ? null : { url: new URL(url).href, format, secrets }
}

/** A receiver that cannot verify who sends an alarm could be made to call people. */
export function alertViolations({
  ALERT_WEBHOOK_URL: url,
  ALERT_WEBHOOK_SECRET: secret,
  ALERT_WEBHOOK_FORMAT: format = 'standard',
}: Environment): Violation[] {
  if (url === undefined)
    return secret === undefined ? [] : [['ALERT_WEBHOOK_URL', 'is missing: ALERT_WEBHOOK_SECRET signs what it gets']]
  const violations: Violation[] = []
  if (URL.parse(url)?.hostname === 'hooks.slack.com' && format !== 'slack')
    violations.push(['ALERT_WEBHOOK_FORMAT', 'must be slack for a URL of Slack'])
  else if (format === 'standard' && secret === undefined)
    violations.push(['ALERT_WEBHOOK_SECRET', 'is missing: it signs what ALERT_WEBHOOK_URL gets'])
  if (format === 'slack' && secret !== undefined)
    violations.push(['ALERT_WEBHOOK_SECRET', 'has no effect: messages in the form of Slack are not signed'])
  return violations
}
