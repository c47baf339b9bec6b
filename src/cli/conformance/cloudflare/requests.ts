// Assertions about requests: clients that disconnect, client addresses, crons, placement, CPU time.
import { scryptSync } from 'node:crypto'
import { isIP } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Assertion, expectEqual, expectThat, uncheckable } from '../assertion.ts'
import { sendAndLeave } from './leave.ts'
import type { ProbeTarget } from './target.ts'

const context = 'https://developers.cloudflare.com/workers/runtime-apis/context'
const lingerMs = 3_000
const leaveAfterMs = 1_000
const cronTimeoutMs = 16 * 60_000

/** What the Worker noted after its client disconnected during the request. */
async function afterLeaving(target: ProbeTarget, wait: boolean): Promise<string[]> {
  const name = target.newName()
  const url = new URL('/linger', target.directUrl)
  url.search = new URLSearchParams({ name, ms: String(lingerMs), wait: String(wait) }).toString()
  const left = await sendAndLeave(url, { 'x-probe-key': target.key }, leaveAfterMs)
  expectThat('the client leaves before the response', left, 'a response')
  await delay(lingerMs)
  return (await target.notes(name, 1, { ms: wait ? 10_000 : lingerMs, isDirect: true })).map(({ what }) => what)
}

export const requestAssertions: readonly Assertion<ProbeTarget>[] = [
  {
    name: 'cloudflare/wait-until-outlives-the-client',
    promise: 'Work that was given to waitUntil ends although its client has disconnected.',
    source: context,
    certainty: 'likely',
    async check(target) {
      expectEqual('notes', await afterLeaving(target, true), ['finished'])
    },
  },
  {
    name: 'cloudflare/disconnect-cancels',
    promise: 'Work that was not given to waitUntil is cancelled when its client disconnects.',
    source: context,
    certainty: 'open',
    async check(target) {
      expectEqual('notes', await afterLeaving(target, false), [])
    },
  },
  {
    name: 'cloudflare/client-address',
    promise: 'CF-Connecting-IP is the address of the client; a client that sends its own is refused or overruled.',
    source: 'https://developers.cloudflare.com/fundamentals/reference/http-headers/#cf-connecting-ip',
    certainty: 'likely',
    async check(target) {
      if (!target.isDeployed) throw uncheckable('no edge of Cloudflare stands before a local Worker')
      const address = await target.ask('/address')
      expectThat('an address', typeof address === 'string' && isIP(address) !== 0, address)
      const response = await target.response('/address', { 'cf-connecting-ip': '203.0.113.9' })
      const seen = await response.text()
      expectThat('not the address that the client sent', !response.ok || !seen.includes('203.0.113.9'), seen)
    },
  },
  {
    name: 'cloudflare/placement',
    promise: 'A Worker with a placement region responds with the cf-placement header.',
    source: 'https://developers.cloudflare.com/workers/configuration/placement',
    certainty: 'open',
    async check(target) {
      if (!target.isDeployed) throw uncheckable('a local Worker runs nowhere else')
      const { headers } = await target.response('/address')
      expectThat('cf-placement', headers.get('cf-placement') !== null, [...headers.keys()])
    },
  },
  {
    name: 'cloudflare/cron',
    promise: 'A cron calls `scheduled` with its own expression.',
    source: 'https://developers.cloudflare.com/workers/configuration/cron-triggers',
    certainty: 'sure',
    async check(target) {
      if (target.fireCron === null && !target.waitsForCron)
        throw uncheckable('a new cron takes up to 15 minutes to start: add --slow')
      await target.fireCron?.()
      const [first] = await target.notes('cron', 1, { ms: target.fireCron === null ? cronTimeoutMs : 10_000 })
      expectEqual('cron', first?.what, '* * * * *')
    },
  },
  {
    name: 'cloudflare/process-env',
    promise: 'With nodejs_compat_do_not_populate_process_env no variable is in process.env.',
    source: 'https://developers.cloudflare.com/workers/configuration/compatibility-flags',
    certainty: 'sure',
    async check(target) {
      expectEqual('the variable is there', await target.ask('/process-env'), false)
    },
  },
  {
    name: 'cloudflare/scrypt',
    promise: "The runtime computes scrypt at this project's cost (N 2^15, r 8, p 3), below its ceiling of 2^20.",
    source: 'cloudflare/workerd src/workerd/io/limit-enforcer.h',
    certainty: 'sure',
    async check(target) {
      const cost = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 }
      const expected = [...scryptSync('password', 'salt', 32, cost)]
      expectEqual('key', await target.ask('/scrypt'), expected)
    },
  },
]
