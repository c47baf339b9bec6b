// One running probe Worker, on this machine or deployed, and the ways of asking it.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'

export interface ProbePlace {
  readonly url: string
  readonly key: string
  /** At Cloudflare; false on this machine. */
  readonly isDeployed: boolean
  /** Fires the cron here; null where Cloudflare fires it. */
  readonly fireCron: (() => Promise<void>) | null
  /** Whether assertions may wait for many minutes. */
  readonly isPatient: boolean
}

export interface Note {
  readonly at: number
  readonly what: string
}

export interface ProbeTarget extends ProbePlace {
  ask(path: string, query?: Readonly<Record<string, string>>, more?: ProbeRequest): Promise<unknown>
  response(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** A name that no other note has. */
  newName(): string
  /** Notes of a name, once there are `count`, or those that are there when the time is up. */
  notes(name: string, count: number, patienceMs?: number): Promise<readonly Note[]>
}

interface ProbeRequest {
  readonly signal?: AbortSignal
}

const TIMEOUT_MS = 60_000
const POLL_MS = 200
const notes = z.array(z.object({ at: z.number(), what: z.string() }))

export function probeTarget(place: ProbePlace): ProbeTarget {
  const { url, key } = place
  const ask: ProbeTarget['ask'] = async (path, query = {}, { signal = AbortSignal.timeout(TIMEOUT_MS) } = {}) => {
    const target = new URL(path, url)
    target.search = new URLSearchParams(query).toString()
    const response = await fetch(target, { headers: { 'x-probe-key': key }, signal })
    const text = await response.text()
    if (!response.ok) throw new Error(`the probe answers ${path} with ${response.status}`)
    return JSON.parse(text)
  }
  return {
    ...place,
    ask,
    response: (path, headers = {}) =>
      fetch(new URL(path, url), {
        headers: { 'x-probe-key': key, ...headers },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }),
    newName: () => `note-${randomUUID()}`,
    async notes(name, count, patienceMs = 20_000) {
      const deadline = performance.now() + patienceMs
      for (;;) {
        const seen = notes.parse(await ask('/notes', { name }))
        if (seen.length >= count || performance.now() > deadline) return seen
        await delay(POLL_MS)
      }
    },
  }
}
