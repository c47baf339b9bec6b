// One Plaid, the sandbox or the simulator, called as this project calls it. All items and users that a run creates are
// removed at its end. Refuses every host except those of the sandbox and the simulator.
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { parseExactJson } from '../../../exact-json.ts'
import { uncheckable } from '../assertion.ts'
import type { WebhookInbox } from './inbox.ts'

export interface PlaidResponse {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface TestItem {
  readonly accessToken: string
  readonly itemId: string
}

/** The defaults are First Platypus Bank, `user_good` and all products of this project. */
export interface ItemChoices {
  readonly products?: readonly string[]
  readonly userId?: string
  readonly webhook?: string
  readonly username?: string
  readonly password?: string
}

export interface PlaidTarget {
  /** Calls with this run's credentials. Amounts in responses are exact decimal text. */
  call(path: string, body: Readonly<Record<string, unknown>>): Promise<PlaidResponse>
  /** Calls with other credentials, or without any. */
  callAs(credentials: Readonly<Record<string, string>>, path: string, body: object): Promise<PlaidResponse>
  publicToken(choices?: ItemChoices): Promise<string>
  /** Creates an item at the sandbox's bank. */
  item(choices?: ItemChoices): Promise<TestItem>
  /** An item for all assertions that do not change it. */
  sharedItem(): Promise<TestItem>
  /** A `client_user_id` that no call has used. */
  newClientUserId(): string
  /** Creates a user and returns Plaid's id of it. */
  user(clientUserId?: string): Promise<string>
  /** Receives this run's webhooks; null without a public URL. */
  readonly inbox: WebhookInbox | null
  /** What only the simulator can do; null at the sandbox. */
  readonly control: ((path: string, body: object) => Promise<void>) | null
}

export interface PlaidPlace {
  readonly baseUrl: string
  readonly clientId: string
  readonly secret: string
  readonly inbox: WebhookInbox | null
  readonly hasControl: boolean
}

const timeoutMs = 60_000
export const allProducts = ['transactions', 'investments', 'liabilities'] as const
const record = z.record(z.string(), z.unknown())
const errorBody = z.looseObject({ error_type: z.string(), error_code: z.string() })

/** `400 INVALID_INPUT INVALID_ACCESS_TOKEN`; only the status if the response is not an error of Plaid's. */
export function errorOf({ status, body }: PlaidResponse): string {
  const parsed = errorBody.safeParse(body)
  return parsed.success ? `${status} ${parsed.data.error_type} ${parsed.data.error_code}` : String(status)
}

/**
 * The response's body. Rejects with Plaid's error. If the client's Plaid account lacks a product, rejects with
 * `uncheckable`.
 */
export function bodyOf(path: string, answer: PlaidResponse): Readonly<Record<string, unknown>> {
  if (answer.status >= 200 && answer.status < 300) return answer.body
  const error = errorOf(answer)
  if (/INVALID_PRODUCT|UNAUTHORIZED_ROUTE_ACCESS/.test(error))
    throw uncheckable(`${path}: these keys have no access (${error})`)
  throw new Error(`${path} returns ${error}`)
}

export function textIn(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name]
  if (typeof value !== 'string') throw new Error(`the response has no ${name}`)
  return value
}

async function post(url: string, headers: Readonly<Record<string, string>>, body: object): Promise<PlaidResponse> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'plaid-version': '2020-09-14', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  })
  const parsed = record.safeParse(parseExactJson(await response.text()))
  return { status: response.status, body: parsed.success ? parsed.data : {} }
}

function publicTokenBody({ products = allProducts, userId, webhook, username, password }: ItemChoices) {
  return {
    institution_id: 'ins_109508',
    initial_products: products,
    ...(userId === undefined ? {} : { user_id: userId }),
    options: {
      ...(webhook === undefined ? {} : { webhook }),
      ...(username === undefined ? {} : { override_username: username }),
      ...(password === undefined ? {} : { override_password: password }),
    },
  }
}

/** `close` removes the items and users of the run. */
export function openPlaidTarget(place: PlaidPlace): { target: PlaidTarget; close: () => Promise<void> } {
  const { baseUrl, clientId, secret, inbox, hasControl } = place
  const items: string[] = []
  const users: string[] = []
  const callAs: PlaidTarget['callAs'] = (credentials, path, body) => post(`${baseUrl}${path}`, credentials, body)
  const call: PlaidTarget['call'] = (path, body) =>
    callAs({ 'plaid-client-id': clientId, 'plaid-secret': secret }, path, body)
  const publicToken = async (choices: ItemChoices = {}) => {
    const path = '/sandbox/public_token/create'
    return textIn(bodyOf(path, await call(path, publicTokenBody(choices))), 'public_token')
  }
  const item = async (choices: ItemChoices = {}) => {
    const path = '/item/public_token/exchange'
    const body = bodyOf(path, await call(path, { public_token: await publicToken(choices) }))
    items.push(textIn(body, 'access_token'))
    return { accessToken: textIn(body, 'access_token'), itemId: textIn(body, 'item_id') }
  }
  const newClientUserId = () => `conformance-${randomUUID()}`
  let shared: Promise<TestItem> | undefined
  const target: PlaidTarget = {
    call,
    callAs,
    publicToken,
    item,
    sharedItem: () => (shared ??= item()),
    newClientUserId,
    async user(clientUserId = newClientUserId()) {
      const body = bodyOf('/user/create', await call('/user/create', { client_user_id: clientUserId }))
      users.push(textIn(body, 'user_id'))
      return textIn(body, 'user_id')
    },
    inbox,
    control: hasControl
      ? async (path, body) => {
          const { status } = await post(`${baseUrl}/simulator${path}`, {}, body)
          if (status !== 200) throw new Error(`the simulator's control ${path} returns ${status}`)
        }
      : null,
  }
  const close = async () => {
    // For what an assertion removed, Plaid returns an error: it is gone already.
    for (const token of items) await call('/item/remove', { access_token: token })
    for (const userId of users) await call('/user/remove', { user_id: userId })
  }
  return { target, close }
}
