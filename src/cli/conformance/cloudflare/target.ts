// One running probe Worker, on this machine or deployed, and how to call it.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'

export interface ProbePlace {
  readonly url: string
  /** Reaches a Worker without the proxy of the local tools; the same as `url` when deployed. */
  readonly directUrl: string
  readonly key: string
  /** True at Cloudflare, false on this machine. */
  readonly isDeployed: boolean
  /** Triggers the cron here; null if Cloudflare triggers it. */
  readonly fireCron: (() => Promise<unknown>) | null
  /** Whether assertions may wait for many minutes. */
  readonly waitsForCron: boolean
}

export interface Note {
  readonly at: number
  readonly what: string
}

export interface ProbeTarget extends ProbePlace {
  ask(path: string, query?: Readonly<Record<string, string>>, more?: ProbeRequest): Promise<unknown>
  response(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** A name that no other note uses. */
  newName(): string
  /** The notes of a name, once there are `count`, or those that exist when the time is up. */
  notes(
    name: string,
    count: number,
    wait?: { readonly ms?: number; readonly isDirect?: true },
  ): Promise<readonly Note[]>
}

interface ProbeRequest {
  /** Sends to `directUrl`. Its Worker has separate notes and no queue. */
  readonly isDirect?: true
}

const timeoutMs = 60_000
const pollMs = 200
const notes = z.array(z.object({ at: z.number(), what: z.string() }))

export function probeTarget(place: ProbePlace): ProbeTarget {
  const { url, directUrl, key } = place
  const ask: ProbeTarget['ask'] = async (path, query = {}, more = {}) => {
    const { isDirect = false } = more
    const target = new URL(path, isDirect ? directUrl : url)
    target.search = new URLSearchParams(query).toString()
    const response = await fetch(target, { headers: { 'x-probe-key': key }, signal: AbortSignal.timeout(timeoutMs) })
    const text = await response.text()
    if (!response.ok) throw new Error(`the probe returns ${response.status} for ${path}`)
    return JSON.parse(text)
  }
  return {
    ...place,
    ask,
    response: (path, headers = {}) =>
      fetch(new URL(path, url), {
        headers: { 'x-probe-key': key, ...headers },
        signal: AbortSignal.timeout(timeoutMs),
      }),
    newName: () => `note-${randomUUID()}`,
    async notes(name, count, { ms = 20_000, ...where } = {}) {
      const deadline = performance.now() + ms
      for (;;) {
        const seen = notes.parse(await ask('/notes', { name }, where))
        if (seen.length >= count || performance.now() > deadline) return seen
        await delay(pollMs)
      }
    },
  }
}
