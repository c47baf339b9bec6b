// Webhooks as they arrive over HTTP, and with changed parts of their JWT.
import * as z from 'zod'
import type { Exchange } from './recording-proxy.ts'

export interface Delivery {
  readonly body: string
  readonly headers: Record<string, string>
}

export const deliveryOf = ({ body, headers }: Exchange): Delivery => {
  const jwt = headers['plaid-verification']
  return { body, headers: jwt === undefined ? {} : { 'plaid-verification': jwt } }
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
