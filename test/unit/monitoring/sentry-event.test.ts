// What is left of an event after everything that is not on the list was removed from it.
import { expect, it } from 'vitest'
import { scrub, type SentryEvent } from '../../../src/monitoring/sentry-event.ts'

const unchanged = (text: string): string => text

it('a user in a Sentry event is an id only', () => {
  const user = { id: 'pseudonym', email: 'ada@example.com', username: 'ada', ip_address: '192.0.2.7', name: 'Ada' }
  expect(scrub<SentryEvent>({ user }, unchanged)).toEqual({ user: { id: 'pseudonym' } })
  expect(scrub<SentryEvent>({ user: { ip_address: '192.0.2.7' } }, unchanged)).toEqual({ user: { id: '' } })
})

it('members of a Sentry event that are not on the list are removed', () => {
  const event = { message: 'm', server_name: 'host', extra: { a: 1 }, request: { url: 'https://host/?token=1' } }
  expect(scrub<SentryEvent>(event, unchanged)).toEqual({ message: 'm' })
})
