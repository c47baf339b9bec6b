// The state machine that connects a bank. Pure: a state and an event give the next state and the effects to perform. Events of an
// earlier attempt have another `run` and change nothing.
import type { Item } from '@wealthnavigator/client'

/** What the user does: link a bank, repair a login, or share further accounts of a linked bank. */
export type Purpose =
  | { readonly kind: 'link' }
  | { readonly kind: 'repair'; readonly itemId: string }
  | { readonly kind: 'accounts'; readonly itemId: string }

/** `link` opens Plaid Link in the page, `hosted` a page of Plaid. */
export type Mode = 'link' | 'hosted'

interface Running {
  /** The number of the attempt. */
  readonly run: number
  readonly purpose: Purpose
}

export type State =
  | { readonly name: 'idle'; readonly run: number }
  /** Asks for a link token. */
  | (Running & { readonly name: 'creating'; readonly mode: Mode })
  /** The user is in Link, or at the bank. */
  | (Running & {
      readonly name: 'linking'
      readonly mode: Mode
      readonly linkToken: string
      /** The page of Hosted Link. */
      readonly hostedUrl: string | null
      /** The items before the link. */
      readonly known: readonly string[]
    })
  | (Running & { readonly name: 'exchanging' })
  /** Reports the end of update mode. */
  | (Running & { readonly name: 'repairing' })
  /** Waits for the item, if it is not known yet, and for its first data or for the check of a repair. */
  | (Running & { readonly name: 'waiting'; readonly itemId: string | null; readonly known: readonly string[] })
  | (Running & { readonly name: 'healthy'; readonly item: Item })
  /** Linked, and the user must do something else: see `item.action_required`. */
  | (Running & { readonly name: 'attention'; readonly item: Item })
  /** `itemId`: the item that is linked or being repaired all the same; null where nothing was changed. */
  | (Running & { readonly name: 'cancelled'; readonly itemId: string | null })
  | (Running & { readonly name: 'failed'; readonly error: Error })

/** From Link's `onSuccess`: hints by which the API finds a duplicate before the exchange. */
export interface LinkMetadata {
  readonly institution?: { readonly institution_id: string | null; readonly name: string | null } | null | undefined
  readonly accounts?:
    | ReadonlyArray<{ readonly name: string | null; readonly mask: string | null; readonly subtype: string | null }>
    | undefined
}

/** What is stored so that the flow continues after a reload. Holds no access token, no public token and no data. */
export type Saved =
  | {
      readonly step: 'linking'
      readonly mode: Mode
      readonly purpose: Purpose
      /** Opens this one session of Link, for minutes; only the signed-in user can exchange its public token. */
      readonly linkToken: string
      readonly known: readonly string[]
    }
  | {
      readonly step: 'waiting'
      readonly purpose: Purpose
      readonly itemId: string | null
      readonly known: readonly string[]
    }

export type Event =
  | { readonly type: 'start'; readonly purpose: Purpose; readonly mode: Mode }
  | {
      readonly type: 'created'
      readonly run: number
      readonly linkToken: string
      readonly hostedUrl: string | null
      readonly known: readonly string[]
    }
  | { readonly type: 'succeeded'; readonly run: number; readonly publicToken: string; readonly metadata: LinkMetadata }
  /** The user left Link. `error` is null if they just closed it. */
  | { readonly type: 'exited'; readonly run: number; readonly error: Error | null }
  /** The user came back from Hosted Link. */
  | { readonly type: 'returned'; readonly run: number }
  | { readonly type: 'exchanged'; readonly run: number; readonly item: Item }
  | { readonly type: 'repaired'; readonly run: number; readonly item: Item }
  /** The item as it is now. `isLast`: the time of a wait that gives up has passed. */
  | { readonly type: 'read'; readonly run: number; readonly item: Item; readonly isLast: boolean }
  /** No new item came. */
  | { readonly type: 'nothing'; readonly run: number }
  | { readonly type: 'failed'; readonly run: number; readonly error: Error }
  /** The page was loaded again. `returnUrl` is its address if the user comes from a bank. */
  | { readonly type: 'resumed'; readonly saved: Saved; readonly returnUrl: string | null }
  | { readonly type: 'cancel' }
  | { readonly type: 'reset' }

export type Effect =
  | { readonly type: 'create_token'; readonly run: number; readonly purpose: Purpose; readonly mode: Mode }
  | { readonly type: 'open_link'; readonly run: number; readonly linkToken: string; readonly returnUrl: string | null }
  | { readonly type: 'open_hosted'; readonly run: number; readonly url: string }
  | { readonly type: 'close_link' }
  | {
      readonly type: 'exchange'
      readonly run: number
      readonly publicToken: string
      readonly linkToken: string
      readonly metadata: LinkMetadata
    }
  | { readonly type: 'report_repaired'; readonly run: number; readonly itemId: string }
  /** Reads the item until it has its first data; without an id, first looks for an item that is not in `known`. */
  | {
      readonly type: 'poll'
      readonly run: number
      readonly itemId: string | null
      readonly known: readonly string[]
      /** Whether to give up when no item is found, or a repair shows no effect, in time. */
      readonly givesUp: boolean
    }
  | { readonly type: 'stop_polling' }
  | { readonly type: 'save'; readonly saved: Saved }
  | { readonly type: 'forget' }

export interface Step {
  readonly state: State
  readonly effects: readonly Effect[]
}

export const initialState: State = { name: 'idle', run: 0 }

/** Whether something runs that another start would disturb. */
export const isBusy = ({ name }: State): boolean =>
  name === 'creating' || name === 'linking' || name === 'exchanging' || name === 'repairing' || name === 'waiting'

const stay = (state: State): Step => ({ state, effects: [] })

function start(state: State, purpose: Purpose, mode: Mode): Step {
  if (isBusy(state)) return stay(state)
  const run = state.run + 1
  return { state: { name: 'creating', run, purpose, mode }, effects: [{ type: 'create_token', run, purpose, mode }] }
}

/** A repair is checked in the background: until then, the item still requires what the user has just done. */
const isUnchecked = ({ purpose }: Running, { action_required: action }: Item): boolean =>
  purpose.kind === 'repair' && (action === 'update' || action === 'give_consent')

/** Ends with the item, or waits for its first data or for the check of a repair. */
function settle({ run, purpose }: Running, item: Item, isLast: boolean): Step {
  const effects: Effect[] = [{ type: 'stop_polling' }, { type: 'forget' }]
  if (item.status === 'healthy' && item.action_required === null)
    return { state: { name: 'healthy', run, purpose, item }, effects }
  if (item.status !== 'initializing' && (isLast || !isUnchecked({ run, purpose }, item)))
    return { state: { name: 'attention', run, purpose, item }, effects }
  return wait({ run, purpose }, item.id, [])
}

/** The read of what a state waits for. It gives up, except on the first data of an item. */
export const pollOf = ({ run, purpose, itemId, known }: State & { readonly name: 'waiting' }): Effect => ({
  type: 'poll',
  run,
  itemId,
  known,
  givesUp: itemId === null || purpose.kind !== 'link',
})

function wait({ run, purpose }: Running, itemId: string | null, known: readonly string[]): Step {
  const state = { name: 'waiting', run, purpose, itemId, known } as const
  return { state, effects: [{ type: 'save', saved: { step: 'waiting', purpose, itemId, known } }, pollOf(state)] }
}

const itemOf = (purpose: Purpose): string | null => (purpose.kind === 'link' ? null : purpose.itemId)

function end(next: State, isLinkOpen: boolean): Step {
  const close: Effect[] = isLinkOpen ? [{ type: 'close_link' }] : []
  return { state: next, effects: [...close, { type: 'stop_polling' }, { type: 'forget' }] }
}

const cancelled = (state: State & Running): State => {
  const { run, purpose } = state
  return { name: 'cancelled', run, purpose, itemId: state.name === 'waiting' ? state.itemId : null }
}

function onCreated(state: State & { name: 'creating' }, event: Event & { type: 'created' }): Step {
  const { run, purpose, mode } = state
  const { linkToken, hostedUrl, known } = event
  const save: Effect = { type: 'save', saved: { step: 'linking', mode, purpose, linkToken, known } }
  const next: State = { name: 'linking', run, purpose, mode, linkToken, hostedUrl, known }
  if (mode === 'link') return { state: next, effects: [save, { type: 'open_link', run, linkToken, returnUrl: null }] }
  if (hostedUrl === null)
    return end({ name: 'failed', run, purpose, error: new Error('The link token has no hosted page.') }, false)
  const poll: Effect[] = purpose.kind === 'link' ? [{ type: 'poll', run, itemId: null, known, givesUp: false }] : []
  return { state: next, effects: [save, { type: 'open_hosted', run, url: hostedUrl }, ...poll] }
}

/** In update mode Link returns a public token that is not exchanged. */
function onSucceeded(state: State & { name: 'linking' }, event: Event & { type: 'succeeded' }): Step {
  const { run, purpose, linkToken, known } = state
  const { publicToken, metadata } = event
  if (purpose.kind !== 'link') return repair(state, purpose.itemId)
  return {
    state: { name: 'exchanging', run, purpose },
    effects: [
      { type: 'save', saved: { step: 'waiting', purpose, itemId: null, known } },
      { type: 'exchange', run, publicToken, linkToken, metadata },
    ],
  }
}

function repair({ run, purpose }: Running, itemId: string): Step {
  return {
    state: { name: 'repairing', run, purpose },
    effects: [
      { type: 'save', saved: { step: 'waiting', purpose, itemId, known: [] } },
      { type: 'report_repaired', run, itemId },
    ],
  }
}

function onReturned(state: State & { name: 'linking' }): Step {
  const itemId = itemOf(state.purpose)
  return itemId === null ? wait(state, null, state.known) : repair(state, itemId)
}

function onResumed(state: State, { saved, returnUrl }: Event & { type: 'resumed' }): Step {
  if (state.name !== 'idle') return stay(state)
  const running = { run: state.run + 1, purpose: saved.purpose }
  if (saved.step === 'waiting') {
    const { itemId, known } = saved
    return wait(running, itemId, known)
  }
  const { mode, linkToken, known } = saved
  const next = { name: 'linking', ...running, mode, linkToken, hostedUrl: null, known } as const
  if (mode === 'hosted') return onReturned(next)
  // A reload without a return from a bank: the session of Link is gone, and the user starts again.
  if (returnUrl === null) return { state, effects: [{ type: 'forget' }] }
  return { state: next, effects: [{ type: 'open_link', run: next.run, linkToken, returnUrl }] }
}

/** An exchange that has begun is not cancelled: the API completes it, and its bank would be linked unseen. */
function onCancel(state: State): Step {
  if (state.name !== 'creating' && state.name !== 'linking' && state.name !== 'waiting') return stay(state)
  return end(cancelled(state), state.name === 'linking')
}

function onReset(state: State): Step {
  if (isBusy(state)) return stay(state)
  return { state: { name: 'idle', run: state.run }, effects: [{ type: 'forget' }] }
}

/** Another item, or one that was there before, is not what the user waits for. */
function onRead(state: State & { name: 'linking' | 'waiting' }, { item, isLast }: Event & { type: 'read' }): Step {
  if (state.name === 'waiting' && state.itemId !== null) {
    const next = settle(state, item, isLast)
    return state.itemId !== item.id || next.state.name === 'waiting' ? stay(state) : next
  }
  const isNew = state.purpose.kind === 'link' && !state.known.includes(item.id)
  return isNew && (state.name === 'waiting' || state.mode === 'hosted') ? settle(state, item, isLast) : stay(state)
}

function onRunning(
  state: State & Running,
  event: Exclude<Event, { type: 'start' | 'resumed' | 'cancel' | 'reset' }>,
): Step {
  const { run, purpose } = state
  switch (event.type) {
    case 'created':
      return state.name === 'creating' ? onCreated(state, event) : stay(state)
    case 'succeeded':
      return state.name === 'linking' && state.mode === 'link' ? onSucceeded(state, event) : stay(state)
    case 'exited':
      if (state.name !== 'linking') return stay(state)
      return end(event.error === null ? cancelled(state) : { name: 'failed', run, purpose, error: event.error }, true)
    case 'returned':
      return state.name === 'linking' && state.mode === 'hosted' ? onReturned(state) : stay(state)
    case 'exchanged':
      return state.name === 'exchanging' ? settle(state, event.item, false) : stay(state)
    case 'repaired':
      return state.name === 'repairing' ? settle(state, event.item, false) : stay(state)
    case 'read':
      return state.name === 'linking' || state.name === 'waiting' ? onRead(state, event) : stay(state)
    case 'nothing':
      return state.name === 'waiting' && state.itemId === null ? end(cancelled(state), false) : stay(state)
    case 'failed':
      return isBusy(state)
        ? end({ name: 'failed', run, purpose, error: event.error }, state.name === 'linking')
        : stay(state)
  }
}

/** The next state and the effects to perform. Every event is accepted in every state; one that does not fit changes nothing. */
export function transition(state: State, event: Event): Step {
  if (event.type === 'start') return start(state, event.purpose, event.mode)
  if (event.type === 'resumed') return onResumed(state, event)
  if (event.type === 'cancel') return onCancel(state)
  if (event.type === 'reset') return onReset(state)
  return state.name === 'idle' || state.run !== event.run ? stay(state) : onRunning(state, event)
}
