// Requests of routes with an entity tag, without HTTP.
import { routes } from '../../src/http/app.ts'
import type { Outgoing, Route } from '../../src/http/route.ts'
import type { World } from './world.ts'

export const tagged = routes.filter(({ entityTag }) => entityTag !== undefined)
export const named = (id: string): Route => {
  const found = tagged.find((route) => route.id === id)
  if (found === undefined) throw new Error(`no route ${id}`)
  return found
}

export type Query = Readonly<Record<string, string>>
export interface Given {
  readonly ifNoneMatch?: string
  readonly query?: Query
  readonly headers?: Readonly<Record<string, string>>
  readonly now?: Date
  readonly version?: string
}

/** Calls a route as that user. Rejects with the route's AppError. */
export async function askTagged(world: World, subject: string, route: Route, given: Given = {}): Promise<Outgoing> {
  const { ifNoneMatch, query = {}, headers = {}, now, version } = given
  const ctx = world.user(subject)
  return await route.respond(
    {
      ...ctx,
      ...(now === undefined ? {} : { now: () => now }),
      services: version === undefined ? ctx.services : { ...ctx.services, version },
    },
    {
      params: {},
      query: new URLSearchParams(query),
      headers: new Headers({ ...headers, ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }) }),
      readBody: () => Promise.resolve(new Uint8Array()),
    },
  )
}
export const tagOf = ({ headers }: Outgoing): string => String(headers?.['etag'])
