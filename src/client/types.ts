// The types of calls, from the routes. Stricter than those of openapi-fetch: an unknown option or parameter is an error.
import type { paths } from './schema.ts'

export type Method = 'get' | 'put' | 'post' | 'patch' | 'delete'

/** The paths that have a route with this method. */
export type PathOf<M extends Method> = {
  [Path in keyof paths]: paths[Path] extends { readonly [K in M]: unknown } ? Path : never
}[keyof paths]

/** The route of a path and a method. */
export type RouteOf<Path extends keyof paths, M extends Method> = M extends keyof paths[Path] ? paths[Path][M] : never

type ParamsOf<Route> = Route extends { parameters: infer Params }
  ? object extends Params
    ? { params?: Params | undefined }
    : { params: Params }
  : never

type BodyOf<Route> = 'requestBody' extends keyof Route
  ? Route extends { requestBody: { content: { 'application/json': infer Body } } }
    ? { body: Body }
    : Route extends { requestBody?: { content: { 'application/json': infer Body } } }
      ? { body?: Body | undefined }
      : { body?: never }
  : { body?: never }

export interface CallOptions {
  /** Ends the call, also while it waits for another attempt. */
  readonly signal?: AbortSignal | undefined
  /** Further headers of this request. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export type InitOf<Route> = ParamsOf<Route> & BodyOf<Route> & CallOptions

/** The second argument, which may be absent if the route needs nothing. */
export type ArgumentsOf<Route> = object extends ParamsOf<Route> & BodyOf<Route>
  ? [init?: InitOf<Route>]
  : [init: InitOf<Route>]

type ContentOf<Response> = Response extends { content: infer Content }
  ? Content extends { 'application/json': infer Body }
    ? Body
    : string
  : undefined

/** The body of a success: parsed JSON, the text of another media type, or undefined for none. */
export type AnswerOf<Route> = Route extends { responses: infer Responses }
  ? { [Status in keyof Responses & number]: ContentOf<Responses[Status]> }[keyof Responses & number]
  : never

export type Call<M extends Method> = <Path extends PathOf<M>>(
  path: Path,
  ...init: ArgumentsOf<RouteOf<Path, M>>
) => Promise<AnswerOf<RouteOf<Path, M>>>

/** A page of a list. */
export interface Page<Row> {
  readonly data: readonly Row[]
  readonly next_cursor: string | null
}

/** The lists that are read by `cursor`. */
export type ListPath = {
  [Path in PathOf<'get'>]: AnswerOf<RouteOf<Path, 'get'>> extends {
    data: readonly unknown[]
    next_cursor: string | null
  }
    ? Path
    : never
}[PathOf<'get'>]

export type RowOf<Path extends ListPath> =
  AnswerOf<RouteOf<Path, 'get'>> extends { data: ReadonlyArray<infer Row> } ? Row : never
