// Runs the machine: keeps its state, performs its effects with the client, Link and storage, and sends it their results.
import { type Client, type Item, newIdempotencyKey, ProblemError } from '@wealthnavigator/client'
import {
  type Effect,
  type Event,
  initialState,
  type Mode,
  pollOf,
  type Purpose,
  type State,
  transition,
} from './machine.ts'
import type { CreatePlaid, PlaidHandler } from './plaid.ts'
import { forget, load, save, type Storage } from './storage.ts'

export interface ConnectionOptions {
  readonly client: Client
  /** `link` (the default) opens Link in the page, `hosted` opens a page of Plaid. */
  readonly mode?: Mode | undefined
  /** The registered page to which a bank returns the user; the page that uses the hook. */
  readonly redirectUri?: string | undefined
  /** Where Hosted Link returns the user; the deployment must list it. */
  readonly completionRedirectUri?: string | undefined
  /** The language of Link (ISO 639-1). */
  readonly language?: string | undefined
  /** Loads Link; by default Plaid's own script. */
  readonly loadLink: () => Promise<CreatePlaid>
  /** Opens the page of Hosted Link; by default in this window. */
  readonly openHosted: (url: string) => void
  readonly storage: Storage | null
  /** The address of this page. */
  readonly address: () => string
  /** Between two reads of a new item, in milliseconds. */
  readonly pollMs?: number | undefined
  /** How long a new item is looked for after a return without one, in milliseconds. */
  readonly giveUpMs?: number | undefined
  readonly now?: (() => number) | undefined
}

export interface Connection {
  readonly getState: () => State
  readonly subscribe: (listener: () => void) => () => void
  send(event: Event): void
  /** Starts with the page: continues what was saved before a reload. Safe to call again. */
  attach(): void
  /** Ends with the page. What the API has begun is not ended. */
  detach(): void
  configure(options: ConnectionOptions): void
}

const defaultPollMs = 2000
const longestPollMs = 30_000
const defaultGiveUpMs = 60_000

const errorOf = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)))

/** Where a bank has returned the user: Plaid adds this parameter to the redirect URI. */
function returnUrlOf(address: string): string | null {
  return /[?&]oauth_state_id=/.test(address) ? address : null
}

async function itemIds(client: Client, signal: AbortSignal): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of client.rows('/api/v1/plaid/items', { signal })) ids.push(id)
  return ids
}

async function createToken(options: ConnectionOptions, purpose: Purpose, mode: Mode, signal: AbortSignal) {
  const { client, redirectUri, completionRedirectUri, language } = options
  const hosted =
    completionRedirectUri === undefined
      ? { hosted: true }
      : { hosted: true, hosted_link: { completion_redirect_uri: completionRedirectUri } }
  const body = {
    ...(purpose.kind === 'link' ? {} : { item_id: purpose.itemId }),
    ...(purpose.kind === 'accounts' ? { account_selection: true } : {}),
    ...(redirectUri === undefined ? {} : { redirect_uri: redirectUri }),
    ...(language === undefined ? {} : { language }),
    ...(mode === 'hosted' ? hosted : {}),
  }
  const [known, token] = await Promise.all([
    purpose.kind === 'link' ? itemIds(client, signal) : [],
    client.post('/api/v1/plaid/link/token/create', { body, signal }),
  ])
  return { linkToken: token.link_token, hostedUrl: token.hosted_link_url ?? null, known }
}

type Poll = Extract<Effect, { type: 'poll' }>

/** A failure that may pass. Another one ends the wait. */
const mayPass = (error: unknown): boolean =>
  !(error instanceof ProblemError) || error.status >= 500 || error.status === 429

/** Reads until the machine has seen enough, and ends `signal`. */
async function poll(
  options: ConnectionOptions,
  effect: Poll,
  signal: AbortSignal,
  send: (event: Event) => void,
): Promise<void> {
  const { client, pollMs = defaultPollMs, giveUpMs = defaultGiveUpMs, now = Date.now } = options
  const { run, known, itemId } = effect
  const startedMs = now()
  const read = async (): Promise<Item | null> =>
    itemId === null ? await newItem(client, known, signal) : await readItem(client, itemId, signal)
  for (let ms = pollMs; !signal.aborted; ms = Math.min(longestPollMs, ms * 1.5)) {
    const item = await read().catch((error: unknown) => {
      if (signal.aborted || mayPass(error)) return null
      throw error
    })
    if (signal.aborted) return
    const isLast = effect.givesUp && now() - startedMs > giveUpMs
    if (item !== null) send({ type: 'read', run, item, isLast })
    else if (isLast) send({ type: 'nothing', run })
    await new Promise((resolve) => setTimeout(resolve, ms))
  }
}

const readItem = async (client: Client, id: string, signal: AbortSignal): Promise<Item> =>
  await client.get('/api/v1/plaid/items/{id}', { params: { path: { id } }, signal })

async function newItem(client: Client, known: readonly string[], signal: AbortSignal): Promise<Item | null> {
  for await (const item of client.rows('/api/v1/plaid/items', { signal })) if (!known.includes(item.id)) return item
  return null
}

export function createConnection(given: ConnectionOptions): Connection {
  let options = given
  let state: State = initialState
  let handler: PlaidHandler | null = null
  let attached = 0
  let isAttached = false
  /** Ends token requests and reads of the run; an exchange is never ended. */
  let reading = new AbortController()
  const listeners = new Set<() => void>()
  const nowMs = (): number => (options.now ?? Date.now)()

  const send = (event: Event): void => {
    const before = state
    const { state: next, effects } = transition(state, event)
    state = next
    for (const effect of effects) run(effect)
    if (state !== before) for (const listener of listeners) listener()
  }
  const stopReading = (): void => {
    reading.abort()
    reading = new AbortController()
  }
  const closeLink = (): void => {
    handler?.destroy()
    handler = null
  }
  /** Failures of an ended run are ignored by its number; those after an abort are ours. */
  const attempt = (runNumber: number, work: () => Promise<void>, signal?: AbortSignal): void => {
    work().catch((error: unknown) => {
      if (signal?.aborted !== true) send({ type: 'failed', run: runNumber, error: errorOf(error) })
    })
  }
  const openLink = async ({
    run: number,
    linkToken,
    returnUrl,
  }: Extract<Effect, { type: 'open_link' }>): Promise<void> => {
    const create = await options.loadLink()
    // Cancelled while the script loaded.
    if (state.name !== 'linking' || state.run !== number) return
    closeLink()
    handler = create({
      token: linkToken,
      ...(returnUrl === null ? {} : { receivedRedirectUri: returnUrl }),
      onSuccess: (publicToken, metadata) => send({ type: 'succeeded', run: number, publicToken, metadata }),
      onExit: (error) =>
        send({
          type: 'exited',
          run: number,
          error:
            error === null
              ? null
              : new Error(error.display_message || error.error_message || 'The bank was not connected.'),
        }),
    })
    handler.open()
  }
  const exchange = async (effect: Extract<Effect, { type: 'exchange' }>): Promise<void> => {
    const { institution, accounts } = effect.metadata
    const item = await options.client.post('/api/v1/plaid/item/public_token/exchange', {
      headers: { 'idempotency-key': newIdempotencyKey() },
      body: {
        public_token: effect.publicToken,
        link_token: effect.linkToken,
        ...(institution ? { institution: { institution_id: institution.institution_id, name: institution.name } } : {}),
        ...(accounts ? { accounts: accounts.map(({ name, mask, subtype }) => ({ name, mask, subtype })) } : {}),
      },
    })
    closeLink()
    send({ type: 'exchanged', run: effect.run, item })
  }
  const run = (effect: Effect): void => {
    switch (effect.type) {
      case 'create_token': {
        stopReading()
        const { signal } = reading
        const { run: number, purpose, mode } = effect
        const create = async () =>
          send({ type: 'created', run: number, ...(await createToken(options, purpose, mode, signal)) })
        return attempt(number, create, signal)
      }
      case 'open_link':
        return attempt(effect.run, () => openLink(effect))
      case 'open_hosted':
        return attempt(effect.run, () => Promise.resolve(options.openHosted(effect.url)))
      case 'close_link':
        return closeLink()
      case 'exchange':
        return attempt(effect.run, () => exchange(effect))
      case 'report_repaired': {
        const { run: number, itemId: id } = effect
        return attempt(number, async () => {
          const item = await options.client.post('/api/v1/plaid/items/{id}/repaired', { params: { path: { id } } })
          closeLink()
          send({ type: 'repaired', run: number, item })
        })
      }
      case 'poll': {
        stopReading()
        const { signal } = reading
        return isAttached ? attempt(effect.run, () => poll(options, effect, signal, send), signal) : undefined
      }
      case 'stop_polling':
        return stopReading()
      case 'save':
        return save(options.storage, effect.saved, nowMs())
      case 'forget':
        return forget(options.storage)
    }
  }
  /** After React's double effects, which run within one turn, this sees the last of them alone. */
  const reconcile = (): void => {
    if (attached > 0 === isAttached) return
    isAttached = attached > 0
    if (!isAttached) {
      if (state.name === 'creating' || state.name === 'linking') return send({ type: 'cancel' })
      return stopReading()
    }
    const saved = load(options.storage, nowMs())
    if (state.name === 'idle' && saved !== null)
      return send({ type: 'resumed', saved, returnUrl: returnUrlOf(options.address()) })
    if (state.name === 'waiting') run(pollOf(state))
  }
  const change = (by: 1 | -1): void => {
    attached += by
    void Promise.resolve().then(reconcile)
  }
  return {
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    send,
    attach: () => change(1),
    detach: () => change(-1),
    configure(next) {
      options = next
    },
  }
}
