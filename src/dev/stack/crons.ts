// Triggers the crons of a local Worker, which wrangler never does by itself. Each cron runs once at a time. A failure
// is reported, and the next run comes as scheduled.
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'

/** The cron expressions of wrangler.toml by the name of what they run. */
export const cronSchedules = {
  audit: '* * * * *',
  sweep: '2-57/5 * * * *',
  sync: '19 * * * *',
  backup: '11 2 * * *',
  cleanup: '13 3 * * SUN',
  retention: '41 3 * * *',
} as const
export type CronName = keyof typeof cronSchedules

const timeoutMs = 5 * 60_000
const minuteMs = 60_000

/** What workerd reports of a run. The Worker sets `noRetry` on a run that a freeze skipped. */
const cronResult = z.object({ outcome: z.literal('ok'), noRetry: z.boolean() })

/**
 * Runs one cron of the Worker at `url` to its end. Rejects if the run failed or the Worker does not respond.
 * @returns whether it ran; a frozen Worker skips it
 */
export async function fireCron(url: string, expression: string, signal?: AbortSignal): Promise<boolean> {
  const target = new URL('/cdn-cgi/handler/scheduled', url)
  target.searchParams.set('cron', expression)
  target.searchParams.set('format', 'json')
  const limit = AbortSignal.timeout(timeoutMs)
  const response = await fetch(target, { signal: signal ? AbortSignal.any([signal, limit]) : limit })
  const text = await response.text()
  if (!response.ok) throw new Error(`The cron ${expression} failed with status ${response.status}: ${text}`)
  return !cronResult.parse(JSON.parse(text)).noRetry
}

export interface Crons {
  stop(): Promise<void>
}

/**
 * Runs the audit chain and the sweep every minute and the sync every hour. The sweep also replaces messages that local
 * queues lost.
 */
export function startCrons(url: string, onError: (name: CronName, error: unknown) => void): Crons {
  const stopping = new AbortController()
  const { signal } = stopping
  const repeat = async (name: CronName, everyMs: number): Promise<void> => {
    while (!signal.aborted) {
      await delay(everyMs, undefined, { signal })
      await fireCron(url, cronSchedules[name], signal).catch((error: unknown) => {
        if (!signal.aborted) onError(name, error)
      })
    }
  }
  const loops = Promise.allSettled([
    repeat('audit', minuteMs),
    repeat('sweep', minuteMs),
    repeat('sync', 60 * minuteMs),
  ])
  return {
    async stop() {
      stopping.abort()
      await loops
    },
  }
}
