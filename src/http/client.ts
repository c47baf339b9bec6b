// The client of a request, by the headers that Cloudflare sets.
import type { Context } from 'hono'
import { type Client, clientOf } from '../ratelimit/address.ts'
import type { HttpEnvironment } from './request-state.ts'

export function clientIn({ req }: Context<HttpEnvironment>): Client {
  return clientOf(req.header('cf-connecting-ip') ?? null, req.header('cf-worker') ?? null)
}
