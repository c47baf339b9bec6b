// A client that disconnects loses nothing: the route finishes its work, for each outgoing call during which the client
// can leave.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { removeItem } from '../../src/items/remove-item.ts'
import { startWorkerd } from '../../src/dev/lib/workerd-process.ts'
import { type DirectWorker, send, startDirectWorker, type Visit } from '../support/leaving-client.ts'
import {
  accessTokenOf,
  askForLink,
  chooseBank,
  expectAtRest,
  heldAtPlaid,
  linkAndSyncSmallBank,
  rowOf,
  smallBank,
  webhooksLike,
} from '../support/item-lifecycle.ts'
import { type EventServer, startEventServer } from '../support/event-server.ts'
import { startIssuer } from '../support/issuer.ts'
import { startRecordingProxy } from '../support/recording-proxy.ts'
import { createWorld, type World } from '../support/world.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { sampled } from '../support/sampled.ts'

let world: World
let worker: DirectWorker
let events: EventServer
beforeAll(async () => {
  events = await startEventServer()
  world = await createWorld(inject('control'), { rateLimits: false })
  worker = await startDirectWorker(world)
})
afterAll(async () => {
  await worker.stop()
  await world.stop()
  await events.stop()
})

interface Case {
  readonly visit: Visit
  /** Fails unless the request took effect. Its queue messages are consumed by then. */
  readonly expectDone: () => Promise<void>
}

const jsonBody = (value: object): string => JSON.stringify(value)

async function exchanging(subject: string): Promise<Case> {
  const { publicToken, linkToken, plaidItemId } = await chooseBank(world, subject, smallBank(subject))
  return {
    visit: {
      method: 'POST',
      path: '/api/v1/plaid/item/public_token/exchange',
      subject,
      body: jsonBody({ public_token: publicToken, link_token: linkToken }),
    },
    async expectDone() {
      expect(await expectAtRest(world, subject)).toBe(plaidItemId)
    },
  }
}

async function relinking(subject: string): Promise<Case> {
  const item = await linkAndSyncSmallBank(world, subject)
  await removeItem(world.user(subject), item.id, { purge: false })
  return await exchanging(subject)
}

async function rotating(subject: string): Promise<Case> {
  const item = await linkAndSyncSmallBank(world, subject)
  const old = await accessTokenOf(world, item)
  return {
    visit: { method: 'POST', path: `/api/v1/plaid/items/${item.id}/access_token/rotate`, subject },
    async expectDone() {
      expect(await accessTokenOf(world, item)).not.toBe(old)
      expect(await expectAtRest(world, subject)).toBe(item.plaidItemId)
      expect(await rowOf(world, item)).toMatchObject({ status: 'healthy', rotation_started_at: null })
    },
  }
}

const removing =
  (query: string) =>
  async (subject: string): Promise<Case> => {
    const item = await linkAndSyncSmallBank(world, subject)
    return {
      visit: { method: 'DELETE', path: `/api/v1/plaid/items/${item.id}${query}`, subject },
      async expectDone() {
        expect(await heldAtPlaid(world, subject)).toEqual([])
        expect(await expectAtRest(world, subject)).toBeNull()
        const left = await world.sql('select status from items where id = $1', [item.id])
        expect(left).toEqual(query === '' ? [{ status: 'removed' }] : [])
      },
    }
  }

async function repairing(subject: string): Promise<Case> {
  const item = await linkAndSyncSmallBank(world, subject)
  await world.sql('update items set new_accounts_available = true where id = $1', [item.id])
  const count = "select count(*) as runs from sync_runs where item_id = $1 and trigger = 'user'"
  return {
    visit: { method: 'POST', path: `/api/v1/plaid/items/${item.id}/repaired`, subject },
    async expectDone() {
      expect(await rowOf(world, item)).toMatchObject({ new_accounts_available: 'f' })
      const [products] = await world.sql('select count(*) as runs from item_products where item_id = $1', [item.id])
      expect(await world.sql(count, [item.id])).toEqual([products])
    },
  }
}

let networks = 0

async function notifying(subject: string): Promise<Case> {
  const item = await linkAndSyncSmallBank(world, subject)
  await world.delivered()
  // A new key, so that the webhook causes a key request to Plaid.
  await world.bank.webhooks({ rotate_key: true })
  await world.bank.change(item.plaidItemId, { add: 1 })
  const [delivery] = await webhooksLike(world, new RegExp(`SYNC_UPDATES_AVAILABLE[^]*${item.plaidItemId}`), 1)
  if (delivery === undefined) throw new Error('no webhook came')
  const { body, plaidVerification } = delivery
  return {
    visit: {
      method: 'POST',
      path: '/api/v1/plaid/webhook',
      // Each delivery comes from a separate network: one network may name only two new keys a minute.
      headers: { 'plaid-verification': plaidVerification ?? '', 'cf-connecting-ip': `203.0.${(networks += 1)}.1` },
      body,
    },
    async expectDone() {
      const runs = await world.sql(
        "select product from sync_runs where item_id = $1 and trigger = 'webhook' and outcome = 'committed'",
        [item.id],
      )
      expect(runs).toEqual([{ product: 'transactions' }])
    },
  }
}

async function syncing(subject: string): Promise<Case> {
  const item = await linkAndSyncSmallBank(world, subject)
  return {
    visit: { method: 'POST', path: `/api/v1/plaid/sync/item/${item.id}`, subject },
    async expectDone() {
      const runs = await world.sql("select 1 from sync_runs where item_id = $1 and trigger = 'user'", [item.id])
      expect(runs.length).toBeGreaterThan(0)
    },
  }
}

async function askingForLink(subject: string): Promise<Case> {
  await askForLink(world, `${subject} before`)
  return {
    visit: { method: 'POST', path: '/api/v1/plaid/link/token/create', subject, body: '{}' },
    async expectDone() {
      const sessions = await world.sql(
        'select u.plaid_user_id is not null as known from link_sessions s join users u on u.id = s.user_id where u.subject = $1',
        [subject],
      )
      expect(sessions).toEqual([{ known: 't' }])
    },
  }
}

const ofUser = '(select id from users where subject = $1)'

async function creatingKey(subject: string): Promise<Case> {
  await askForLink(world, subject)
  return {
    visit: {
      method: 'POST',
      path: '/api/v1/api-keys',
      subject,
      body: jsonBody({ name: 'script', scopes: ['read'] }),
    },
    async expectDone() {
      const keys = await world.sql(
        `select (select count(*)::int from audit_log l where l.action = 'api_key_created' and l.target_id = k.id::text) as rows
          from api_keys k where user_id = ${ofUser}`,
        [subject],
      )
      expect(keys).toEqual([{ rows: '1' }])
    },
  }
}

async function listening(subject: string): Promise<Case> {
  await askForLink(world, subject)
  return {
    visit: { method: 'POST', path: '/api/v1/webhooks/endpoints', subject, body: jsonBody({ url: events.url }) },
    async expectDone() {
      const endpoints = await world.sql(`select state from webhook_endpoints where user_id = ${ofUser}`, [subject])
      expect(endpoints).toEqual([{ state: 'enabled' }])
    },
  }
}

async function editingAccount(subject: string): Promise<Case> {
  const item = await linkAndSyncSmallBank(world, subject)
  const [account] = await world.sql('select id from accounts where item_id = $1 order by id limit 1', [item.id])
  return {
    visit: {
      method: 'PATCH',
      path: `/api/v1/accounts/${String(account?.['id'])}`,
      subject,
      body: jsonBody({ name: 'mine', hidden: true }),
    },
    async expectDone() {
      const [row] = await world.sql('select own_name, hidden from accounts where id = $1', [account?.['id']])
      expect(row).toEqual({ own_name: 'mine', hidden: 't' })
    },
  }
}

async function carryOut(make: (subject: string) => Promise<Case>, subject: string, leaveAfter: number) {
  const { visit, expectDone } = await make(subject)
  const { calls, response } = await worker.visit(visit, leaveAfter)
  await expectDone()
  return { calls, response }
}

describe('an exchange', () => {
  it.each([
    ['of a new bank', exchanging],
    ['that goes on with a removed item', relinking],
  ] as const)('%s takes three calls of the database and four of Plaid, three of them at once', async (name, make) => {
    const { calls, response } = await carryOut(make, `calls ${name}`, 0)
    expect(response).toContain('HTTP/1.1 201')
    // The Worker looks for due events after the message of the sync, once in ten seconds.
    expect(calls).toContain('queue')
    const untilQueued = calls.slice(0, calls.indexOf('queue'))
    expect(calls.filter((call) => call === 'database').length).toBeLessThanOrEqual(4)
    expect(untilQueued.filter((call) => call === 'database')).toHaveLength(3)
    expect(untilQueued.filter((call) => call.startsWith('/'))).toHaveLength(4)
    expect(calls.slice(0, 3)).toEqual(['database', '/item/public_token/exchange', 'database'])
  })
})

describe('a client that goes away', () => {
  it('cancels the request in workerd, unless the work was given to waitUntil', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-cancelled-'))
    const bundle = join(folder, 'built.js')
    await writeFile(
      bundle,
      `export default { async fetch(request, { TARGET }, context) {
        const work = async () => { for (let call = 1; call <= 4; call += 1) await fetch(TARGET) }
        const done = work()
        if (request.method === 'POST') context.waitUntil(done)
        await done
        return new Response('done')
      } }`,
    )
    const proxy = await startRecordingProxy(null)
    const workerd = await startWorkerd({
      projectFolder,
      folder: join(folder, 'worker'),
      bundle,
      variables: { TARGET: proxy.url },
      signal: new AbortController().signal,
    })
    const callsOf = async (method: string) => {
      const before = proxy.exchanges.length
      const client = send(workerd.port, `${method} / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n`)
      proxy.onAnswer = async () => {
        if (proxy.exchanges.length - before === 2) client.leave()
        await delay(60)
      }
      await client.received
      await delay(500)
      return proxy.exchanges.length - before
    }
    try {
      expect(await callsOf('GET')).toBe(2)
      expect(await callsOf('POST')).toBe(4)
    } finally {
      await workerd.stop()
      await proxy.stop()
      await rm(folder, { recursive: true, force: true })
    }
  })

  const requests = [
    ['an exchange', exchanging],
    ['a rotation', rotating],
    ['a removal', removing('')],
    ['a removal with its data', removing('?purge=true')],
    ['a repair', repairing],
    ['a webhook', notifying],
    ['a sync', syncing],
    ['a link token', askingForLink],
    ['a new API key', creatingKey],
    ['a new endpoint of events', listening],
    ['an edit of an account', editingAccount],
  ] as const

  it.each(sampled(requests, 3))('loses nothing of %s, after whichever outgoing call it goes', async (name, make) => {
    const unharmed = await carryOut(make, `${name}, unharmed`, 0)
    expect(unharmed.response).toMatch(/^HTTP\/1.1 2/)
    expect(unharmed.calls.length).toBeGreaterThan(0)
    for (let k = 1; k <= unharmed.calls.length; k += 1) {
      const { calls, response } = await carryOut(make, `${name}, ${k}`, k)
      const made = calls.toSorted()
      expect({ k, response, calls: made }).toEqual({ k, response: '', calls: unharmed.calls.toSorted() })
    }
  })
})

it("a client that goes away while the issuer's keys are fetched for it costs the next client nothing", async () => {
  const issuer = await startIssuer()
  const keys = await startRecordingProxy(new URL(issuer.variables['AUTH_JWKS_URL'] ?? '').origin)
  const oidcWorker = await startDirectWorker(world, { ...issuer.variables, AUTH_JWKS_URL: `${keys.url}/jwks.json` })
  const ask = () => {
    const head = ['GET /api/v1/accounts HTTP/1.1', 'host: localhost', 'connection: close']
    return send(oidcWorker.port, `${[...head, `authorization: Bearer ${issuer.token('keys')}`].join('\r\n')}\r\n\r\n`)
  }
  try {
    const first = ask()
    keys.onAnswer = async () => {
      first.leave()
      await delay(200)
    }
    expect(await first.received).toBe('')
    expect(await ask().received).toContain('HTTP/1.1 200')
    expect(issuer.requests()).toBe(1)
  } finally {
    await oidcWorker.stop()
    await keys.stop()
    await issuer.stop()
  }
})
