// Assertions about Durable Objects: one request at a time, errors over RPC, alarms.
import { type Assertion, expectEqual } from '../assertion.ts'
import type { ProbeTarget } from './target.ts'

const objects = 'https://developers.cloudflare.com/durable-objects'
const atOnce = 20

export const objectAssertions: readonly Assertion<ProbeTarget>[] = [
  {
    name: 'cloudflare/object-one-at-a-time',
    promise: `${atOnce} calls at once of a method that reads, then writes, lose no update.`,
    source: `${objects}/reference/in-memory-state (input gates)`,
    certainty: 'sure',
    async check(target) {
      const counts = await target.ask('/increments', { count: String(atOnce) })
      expectEqual(
        'counts',
        counts,
        Array.from({ length: atOnce }, (_, index) => index + 1),
      )
    },
  },
  {
    name: 'cloudflare/object-error',
    promise: 'What a method throws reaches the caller with its name and message.',
    source: 'https://developers.cloudflare.com/workers/runtime-apis/rpc/error-handling',
    certainty: 'likely',
    async check(target) {
      expectEqual('error', await target.ask('/failure'), 'RangeError: thrown inside the object')
    },
  },
  {
    name: 'cloudflare/object-alarm',
    promise: 'An alarm runs once, after its time.',
    source: `${objects}/api/alarms`,
    certainty: 'sure',
    async check(target) {
      const name = target.newName()
      await target.ask('/alarm', { name, ms: '500' })
      const notes = await target.notes(name, 1, { ms: 30_000 })
      expectEqual(
        'notes',
        notes.map(({ what }) => what),
        ['alarm'],
      )
    },
  },
  {
    name: 'cloudflare/object-delete-all',
    promise: 'deleteAll also deletes the alarm.',
    source: 'https://developers.cloudflare.com/workers/configuration/compatibility-flags (2026-02-24)',
    certainty: 'likely',
    async check(target) {
      expectEqual('an alarm is left', await target.ask('/emptied'), false)
    },
  },
]
