// The external events of a simulated day: webhooks and clicks with their busy hours, some lost webhooks, and the
// webhooks of an outage, which all come after it.
import type { Trouble } from './plaid.ts'

const hourMs = 3_600_000
const minuteMs = 60_000

/** Webhooks for an item in a day, and the percentage that is lost. */
const webhooksADay = 3
const lostPercent = 1
/** The percentage of items whose user requests fresh data in a day. */
const clicksPercent = 20
/**
 * Weights of the hours of a day (UTC); their sums do not matter. Banks post in the early morning, users are active in
 * the evening.
 */
const webhookHours = [2, 2, 3, 5, 9, 12, 12, 9, 5, 3, 3, 3, 4, 4, 3, 3, 3, 4, 5, 6, 4, 3, 2, 2]
const clickHours = [3, 2, 1, 1, 1, 1, 2, 3, 4, 4, 4, 4, 5, 5, 4, 4, 4, 5, 7, 9, 10, 9, 7, 5]
/** How long Plaid takes to send the webhooks of an outage. */
const catchUpMs = 10 * minuteMs
const aftermathMs = 2 * hourMs

export interface Traffic {
  /** The items with an event in a minute: a webhook, a lost webhook, a click. */
  ofMinute(nowMs: number): { readonly webhooks: number[]; readonly lost: number[]; readonly clicks: number[] }
  /** Whether there is no trouble now, and there was none shortly before. */
  isQuiet(ms: number): boolean
}

const shareOf = (hours: readonly number[], hour: number): number =>
  (hours[hour % 24] ?? 0) / hours.reduce((sum, share) => sum + share, 0)

export function createTraffic(items: number, trouble: Trouble, random: () => number): Traffic {
  const [outageFrom, outageUntil] = trouble.outage
  const pick = (): number => Math.floor(random() * items)
  const drawn = (expected: number): number[] =>
    Array.from({ length: Math.floor(expected) + Number(random() < expected % 1) }, pick)
  let held: number[] = []

  const webhooksAt = (nowMs: number, hour: number): number[] => {
    const fresh = drawn((items * webhooksADay * shareOf(webhookHours, hour)) / 60)
    if (outageFrom <= nowMs && nowMs < outageUntil) {
      held.push(...fresh)
      return []
    }
    const minutesLeft = Math.max(1, Math.ceil((outageUntil + catchUpMs - nowMs) / minuteMs))
    const late = held.splice(0, Math.ceil(held.length / minutesLeft))
    return [...fresh, ...late]
  }

  return {
    ofMinute(nowMs) {
      const hour = Math.floor((nowMs % (24 * hourMs)) / hourMs)
      const all = webhooksAt(nowMs, hour)
      const lost = all.filter(() => random() * 100 < lostPercent)
      const clicks = drawn((items * clicksPercent * shareOf(clickHours, hour)) / 100 / 60)
      return { webhooks: all.filter((item) => !lost.includes(item)), lost, clicks }
    },
    isQuiet: (ms) =>
      ![trouble.outage, trouble.refusals].some(([from, until]) => from <= ms && ms < until + aftermathMs),
  }
}
