// Calls a route as a user, without HTTP. Input and output are parsed as over HTTP.
import type { Ctx, User } from '../../src/context.ts'
import type { Route } from '../../src/http/route.ts'
import type { World } from './world.ts'

/** A context of an administrator. */
export function operatorOf(world: Pick<World, 'user'>): Ctx<User> {
  const { actor, ...ctx } = world.user('operator')
  return { ...ctx, actor: { ...actor, role: 'admin' } }
}

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
