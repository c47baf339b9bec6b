// Delivers the notifications of the outbox: each at least once, with a stable id, those of one alarm in their order.
import type { Notification } from './book.ts'

const minuteMs = 60_000
const longestPauseMs = 30 * minuteMs
/** After this time a notification is given up. `alarms_undelivered` fires long before. */
const givenUpAfterMs = 24 * 60 * minuteMs
/** Each failure may take the whole time of a request, and the next run is a minute away. */
const mostFailures = 2
/** After this time nothing is sent: the run must store what was delivered before its time ends (src/cron/schedule.ts). */
export const deliveryMs = 25_000

export interface Channels {
  /** Null without a configured receiver. */
  readonly webhook: ((notification: Notification) => Promise<void>) | null
  /** False while Sentry refuses reports. */
  readonly sentry: (notification: Notification) => boolean
  readonly onFailure: (notification: Notification, error: unknown) => void
  readonly onGivenUp: (notification: Notification) => void
}

/** One, two, four … minutes, at most half an hour. */
const pauseMs = (attempts: number): number => Math.min(longestPauseMs, minuteMs * 2 ** (attempts - 1))

/**
 * Sends what is due, for a bounded time. Returns what is left. Never rejects.
 * @param clock the current time
 */
export async function deliverDue(
  outbox: readonly Notification[],
  channels: Channels,
  nowMs: number,
  clock: () => number = () => nowMs,
): Promise<readonly Notification[]> {
  const untilMs = clock() + deliveryMs
  const left: Notification[] = []
  /** Alarms with an undelivered notification: a later one must not overtake it. */
  const held = new Set<string>()
  let failures = 0
  for (const given of outbox) {
    const notification = { ...given, isReported: given.isReported || channels.sentry(given) }
    // A receiver that accepts it is enough.
    if (channels.webhook === null && notification.isReported) continue
    const isDue =
      channels.webhook !== null &&
      notification.nextAttemptMs <= nowMs &&
      !held.has(given.alarm) &&
      failures < mostFailures &&
      clock() < untilMs
    const after = isDue ? await attempt(notification, channels, nowMs) : notification
    if (after === null) continue
    if (isDue) failures += 1
    if (nowMs - after.atMs >= givenUpAfterMs) {
      channels.onGivenUp(after)
      continue
    }
    left.push(after)
    held.add(after.alarm)
  }
  return left
}

/** Null if it was delivered. */
async function attempt(
  notification: Notification,
  { webhook, onFailure }: Channels,
  nowMs: number,
): Promise<Notification | null> {
  try {
    await webhook?.(notification)
    return null
  } catch (error) {
    onFailure(notification, error)
    const attempts = notification.attempts + 1
    return { ...notification, attempts, nextAttemptMs: nowMs + pauseMs(attempts) }
  }
}
