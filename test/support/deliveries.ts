// Webhooks as they arrive over HTTP, and with changed parts of their JWT.
import { createHmac } from 'node:crypto'
import { expect, vi } from 'vitest'
import * as z from 'zod'
import type { Edge, Linked } from './edge.ts'
import type { Exchange, RecordingProxy } from './recording-proxy.ts'

export interface Delivery {
  readonly body: string
  readonly headers: Record<string, string>
}

export const deliveryOf = ({ body, headers }: Exchange): Delivery => {
  const jwt = headers['plaid-verification']
  return { body, headers: jwt === undefined ? {} : { 'plaid-verification': jwt } }
}

/** Keeps the webhooks that `act` causes from the Worker, and returns them. */
export async function catchWebhooks(
  proxy: RecordingProxy,
  count: number,
  act: () => Promise<unknown>,
): Promise<Delivery[]> {
  proxy.target = null
  const before = proxy.exchanges.length
  await act()
  await vi.waitFor(() => expect(proxy.exchanges.length).toBe(before + count), { timeout: 20_000 })
  return proxy.exchanges.slice(before).map(deliveryOf)
}

/** Makes Plaid send a webhook about the item's transactions. `changes` replaces members of the request. */
export const fireWebhook = (edge: Edge, { plaidItemId }: Linked, changes: object = {}): Promise<unknown> =>
  edge.bank.plaid('/sandbox/item/fire_webhook', {
    access_token: edge.accessToken(plaidItemId),
    webhook_code: 'SYNC_UPDATES_AVAILABLE',
    ...changes,
  })

export const relaySecret = 'relay-secret-of-the-tests-relay-secret'

/** The header with which the operator's relay signs a body. */
export function relayHeaders(
  body: string,
  seconds = Math.floor(Date.now() / 1000),
  secret = relaySecret,
): Record<string, string> {
  const mac = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
  return { 'x-webhook-signature': `t=${seconds},v1=${mac}` }
}

export const encode = (part: object | string) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')

/** The delivery with changed parts of its JWT. */
export function withJwt({ body, headers }: Delivery, change: (parts: [string, string, string]) => string): Delivery {
  const [header = '', claims = '', signature = ''] = (headers['plaid-verification'] ?? '').split('.')
  return { body, headers: { 'plaid-verification': change([header, claims, signature]) } }
}

export const headerOf = (delivery: Delivery): Record<string, unknown> =>
  z
    .record(z.string(), z.unknown())
    .parse(
      JSON.parse(
        Buffer.from((delivery.headers['plaid-verification'] ?? '').split('.')[0] ?? '', 'base64url').toString(),
      ),
    )

const refusalLine = z.looseObject({ event: z.literal('webhook_refused'), reason: z.string() })

/** The reasons of the refusals in the log after this line. */
export function refusalReasons(edge: Edge, lines: number): string[] {
  const parsed = edge
    .lines()
    .slice(lines)
    .filter((line) => line.startsWith('{'))
    .map((line) => refusalLine.safeParse(JSON.parse(line)))
  return parsed.flatMap(({ data }) => (data === undefined ? [] : [data.reason]))
}
