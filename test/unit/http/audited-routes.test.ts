// Every route that may change something records it in the audit trail, or is in this list with its reason.
import { describe, expect, it } from 'vitest'
import { auditActions } from '../../../src/audit/actions.ts'
import { routes } from '../../../src/http/app.ts'

const exceptions: Readonly<Record<string, RegExp>> = {
  refreshSession: /continues a session/,
  createLiveTicket: /says only that something has changed/,
  editAccount: /arranges their own accounts/,
  previewRule: /changes nothing/,
  editTransaction: /own notes and categories/,
  pingWebhookEndpoint: /A test is recorded/,
  adminPingWebhookEndpoint: /A test is recorded/,
  receiveWebhook: /a row of webhook_events/,
}

const changing = routes.filter(({ method }) => method !== 'GET')

describe('a route that may change something', () => {
  it.each(changing.map((route) => [route.id, route] as const))(
    'names what it records, or why it does not: %s',
    (id, { audit }) => {
      if (audit === undefined) throw new TypeError(`${id} says nothing about the audit trail.`)
      const actions = 'none' in audit ? [] : audit
      const reason = 'none' in audit ? audit.none : ''
      expect(Object.keys(auditActions)).toEqual(expect.arrayContaining([...actions]))
      expect(actions.length > 0 ? '' : reason).toMatch(
        actions.length > 0 ? /^$/ : (exceptions[id] ?? /^no exception is listed$/),
      )
    },
  )

  it('is no exception without need: each one in the list exists', () => {
    const ids = changing.filter(({ audit }) => audit !== undefined && 'none' in audit).map(({ id }) => id)
    expect(ids.toSorted()).toEqual(Object.keys(exceptions).toSorted())
  })
})
