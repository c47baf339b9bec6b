// The body of each type of event: what its schema declares, and nothing else.
import { describe, expect, it } from 'vitest'
import { eventBody } from '../../../src/events/compose.ts'
import { eventTypes } from '../../../src/events/types.ts'

const user = '77777777-7777-4777-8777-777777777777'
const item = '11111111-1111-4111-8111-111111111111'
const stored = {
  id: '55555555-5555-4555-8555-555555555555',
  eventId: '66666666-6666-4666-8666-666666666666',
  userId: user,
  subject: null,
  itemId: item,
  createdAt: new Date('2026-03-02T09:30:00.000Z'),
  attempts: 0,
}
const data: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'transactions.changed': { since: 1, next_since: 4, upserted: 2, removed: 1 },
  'item.status_changed': {
    from: 'healthy',
    to: 'needs_update',
    new_accounts: false,
    consent_needed: false,
    deadline: null,
  },
  'sync.failed': { product: 'holdings', error_code: 'PRODUCT_NOT_READY' },
  'user.erased': { user, subject: 'a subject' },
}

describe('an event', () => {
  it.each(eventTypes)('%s has ids, numbers and states alone', (type) => {
    const isErased = type === 'user.erased'
    const row = { ...stored, type, data: { ...data[type], amount: '1.00', name: 'a name' } }
    const body = eventBody(isErased ? { ...row, userId: null, itemId: null } : row)
    expect(body).toMatchObject({ type, timestamp: '2026-03-02T09:30:00.000Z', data: { user } })
    expect(JSON.stringify(body)).not.toMatch(/amount|a name/)
    expect(eventBody(isErased ? { ...row, userId: null, itemId: null } : row)).toEqual(body)
  })

  it.each([
    ['pending_disconnect', 'update', '2026-04-01T00:00:00+00:00', '2026-04-01T00:00:00.000Z'],
    ['relink_required', 'relink', null, null],
    ['healthy', null, null, null],
  ])('says of the status %s what to do, and until when', (to, action, deadline, shown) => {
    const change = { ...data['item.status_changed'], from: 'removing', to, deadline }
    expect(eventBody({ ...stored, type: 'item.status_changed', data: change }).data).toEqual({
      user,
      item,
      from: 'removed',
      to,
      action_required: action,
      deadline: shown,
    })
  })

  it('names the user as the issuer does, for administrators', () => {
    const body = eventBody({ ...stored, subject: 'a subject', type: 'item.linked', data: {} })
    expect(body.data).toEqual({ user, subject: 'a subject', item })
  })

  it.each([
    ['an unknown type', 'constructor', {}],
    ['a row without its data', 'transactions.changed', {}],
  ])('is not sent from %s', (_what, type, given) => {
    expect(() => eventBody({ ...stored, type, data: given })).toThrow('An event is malformed.')
  })
})
