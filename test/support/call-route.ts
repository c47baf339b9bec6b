// Calls a route as a user, without HTTP. Input and output are parsed as over HTTP.
import type { Ctx, User } from '../../src/context.ts'
import type { Route } from '../../src/http/route.ts'

export interface Asked {
  readonly query?: Readonly<Record<string, string>>
  readonly params?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
}

/** Calls a route and returns the body of its response. Rejects with the route's AppError. */
export async function ask(
  ctx: Ctx<User>,
  route: Route,
  { query = {}, params = {}, body: sent }: Asked = {},
): Promise<unknown> {
  const { body } = await route.respond(ctx, {
    params,
    query: new URLSearchParams(query),
    headers: new Headers(sent === undefined ? {} : { 'content-type': 'application/json' }),
    readBody: () =>
      Promise.resolve(sent === undefined ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(sent))),
  })
  return body
}
