// What an embedded page reports to the page around it: the events since the last page, and the result at the end. The
// members are those of the SDK's callbacks (https://plaid.com/docs/link/web/).
import { randomUUID } from 'node:crypto'
import { addedView } from '../endpoints/link.ts'
import type { LinkPage } from '../state/link-page.ts'
import { type LinkToken, statusOf } from '../state/link-token.ts'
import type { World } from '../state/world.ts'
import { updatedItem } from './accounts.ts'
import { bankPath } from './bank-visit.ts'
import { sdkMetadata } from './record-event.ts'

/** The messages as JSON. Counts the events as sent. */
export function embedMessages(world: World, token: LinkToken, page: LinkPage): string {
  const { session } = page
  const events = session.events.slice(page.sentEvents).map((event) => ({
    kind: 'event',
    name: event.event_name,
    metadata: sdkMetadata(event, session.id, token.updateItemId !== null),
  }))
  page.sentEvents = session.events.length
  const departs = page.step === 'departure' && page.visit !== null && session.finished === null
  return JSON.stringify([
    ...events,
    ...(departs && page.visit !== null ? [{ kind: 'oauth', path: bankPath(page.visit) }] : []),
    ...(session.finished === null ? [] : [resultOf(world, token, page)]),
  ])
}

function resultOf(world: World, token: LinkToken, { session }: LinkPage): object {
  if (statusOf(session) === 'SUCCESS') return success(world, token, session)
  const { institution, status, error } = session.exit ?? { institution: null, status: null, error: null }
  return {
    kind: 'exit',
    error,
    metadata: { institution, status, link_session_id: session.id, request_id: world.ids.request() },
  }
}

function success(world: World, token: LinkToken, session: LinkPage['session']): object {
  const [added] = session.added
  const item = added === undefined ? updatedItem(world, token) : world.items.get(added.itemId)
  // Update mode calls back with a public token too. The application does not exchange it, so here it is of no use.
  const publicToken = added?.publicToken ?? `public-sandbox-${randomUUID()}`
  const { institution = null, accounts = [] } = item ? addedView(publicToken, item) : {}
  return {
    kind: 'success',
    public_token: publicToken,
    metadata: { institution, accounts, link_session_id: session.id, transfer_status: null },
  }
}
