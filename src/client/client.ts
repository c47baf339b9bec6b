// The client: one function a method, typed by the routes, and iterators over lists and over the feed.
import createFetch from 'openapi-fetch'
import { readFeed, type FeedOptions, type FeedPage } from './feed.ts'
import { readPages } from './pages.ts'
import { ConnectionError, problemOf } from './problem.ts'
import { type paths, publicPaths } from './schema.ts'
import { send, type SendOptions } from './send.ts'
import { createTokens, type GetToken, type Tokens } from './tokens.ts'
import type {
  AnswerOf,
  ArgumentsOf,
  Call,
  CallOptions,
  ListPath,
  Method,
  Page,
  PathOf,
  RouteOf,
  RowOf,
} from './types.ts'
import { abortReason, retryAfterSeconds } from './wait.ts'

interface CommonOptions {
  /** Where the API is, without `/api/v1`: `https://api.example.com`. */
  readonly baseUrl: string
  /** The function that sends requests; the global `fetch` by default. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined
  /** Attempts of a call in all, where another one is safe; 3 by default. */
  readonly tries?: number | undefined
  /** The longest `Retry-After` that is waited for, in seconds; 60 by default. */
  readonly longestWaitSeconds?: number | undefined
  /** Sends the cookie of the session to `/api/v1/auth`, and nowhere else. For pages on the API's own site. */
  readonly cookies?: boolean | undefined
}

/** For servers: an API key, and the user of your application for whom it acts. Never in a browser or an app. */
interface KeyOptions {
  readonly apiKey: string
  /** Your own id of the user. `client.forUser(id)` sets it for single calls. */
  readonly user?: string | undefined
  readonly getToken?: undefined
}

/** For pages and apps: a callback that returns an access token, such as `cookieSession` or a call of your server. */
interface TokenOptions {
  readonly getToken?: GetToken | undefined
  readonly apiKey?: undefined
  readonly user?: undefined
}

export type ClientOptions = CommonOptions & (KeyOptions | TokenOptions)

/** What the client does besides plain calls. */
interface Reading {
  /** The pages of a list, one after the other. */
  pages<Path extends ListPath>(
    path: Path,
    ...init: ArgumentsOf<RouteOf<Path, 'get'>>
  ): AsyncGenerator<Page<RowOf<Path>>, void>
  /** The rows of a list, of all its pages. */
  rows<Path extends ListPath>(path: Path, ...init: ArgumentsOf<RouteOf<Path, 'get'>>): AsyncGenerator<RowOf<Path>, void>
  /**
   * The pages of the change feed of everything until nothing is left to read. Store each page and its `next_since`
   * together.
   * @throws FeedExpiredError when the copy must be read again from the start
   */
  changes(options?: FeedOptions): AsyncGenerator<FeedPage, void>
}

export interface Client extends Reading {
  readonly get: Call<'get'>
  readonly put: Call<'put'>
  readonly post: Call<'post'>
  readonly patch: Call<'patch'>
  readonly delete: Call<'delete'>
  /** The response itself, for downloads and for headers. Errors are thrown as by the other calls. */
  response<M extends Method, Path extends PathOf<M>>(
    method: M,
    path: Path,
    ...init: ArgumentsOf<RouteOf<Path, M>>
  ): Promise<Response>
  /** The same client for another user of your application. Needs an API key. */
  forUser(user: string): Client
}

const userHeader = 'wn-user'
const defaultTries = 3
const defaultWaitSeconds = 60

function tokensOf(options: ClientOptions): Tokens | null {
  const { apiKey, getToken } = options
  if (apiKey === undefined) return getToken === undefined ? null : createTokens(getToken)
  if ('document' in globalThis)
    throw new TypeError('An API key is for servers: in a browser, each visitor of the page could read it.')
  return { get: () => Promise.resolve(apiKey), replace: () => Promise.resolve(apiKey) }
}

/**
 * JSON by its media type; anything else as text. An empty body is undefined.
 * @throws ConnectionError if the body ends early, or the reason of the signal
 */
async function bodyOf(response: Response, signal: AbortSignal | undefined): Promise<unknown> {
  const text = await response.text().catch((error: unknown) => {
    if (signal?.aborted) throw abortReason(signal)
    throw new ConnectionError('The response ended early.', { cause: error })
  })
  if (text === '') return undefined
  return /\bjson\b/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : text
}

interface Http {
  request(
    method: Method,
    path: string,
    init: object,
  ): Promise<{ readonly error?: unknown; readonly response: Response }>
}

type AnyInit = CallOptions & { readonly params?: unknown; readonly body?: unknown }

function build(options: ClientOptions, tokens: Tokens | null): Client {
  const { cookies = false } = options
  const sending: Omit<SendOptions, 'tokens'> = {
    fetch: options.fetch ?? ((request) => fetch(request)),
    tries: options.tries ?? defaultTries,
    longestWaitMs: (options.longestWaitSeconds ?? defaultWaitSeconds) * 1000,
  }
  // oxlint-disable-next-line typescript/consistent-type-assertions -- types.ts has the types of the calls
  const http = createFetch({ baseUrl: options.baseUrl }) as unknown as Http

  const request = async (
    method: Method,
    path: string,
    init: AnyInit = {},
    takesNotModified = false,
  ): Promise<Response> => {
    const isPublic = publicPaths.some((known) => known === path)
    const { error, response } = await http.request(method, path, {
      ...init,
      headers: { ...(options.user === undefined ? {} : { [userHeader]: options.user }), ...init.headers },
      ...(cookies && path.startsWith('/api/v1/auth/') ? { credentials: 'include' } : {}),
      parseAs: 'stream',
      // The API redirects nowhere but to https. Some runtimes would send the token along to another host.
      redirect: 'manual',
      fetch: (sent: Request) => send(sent, { ...sending, tokens: isPublic ? null : tokens }),
    })
    if (!response.ok && !(takesNotModified && response.status === 304))
      throw problemOf(response, error, retryAfterSeconds(response.headers, Date.now()))
    return response
  }
  const call = (method: Method) => async (path: string, init?: AnyInit) =>
    await bodyOf(await request(method, path, init), init?.signal)
  const get = call('get')
  const pages = (path: string, init: AnyInit = {}) => readPages(get, path, init)

  const client = {
    get,
    put: call('put'),
    post: call('post'),
    patch: call('patch'),
    delete: call('delete'),
    response: (method: Method, path: string, init?: AnyInit) => request(method, path, init, true),
    pages,
    async *rows(path: string, init?: AnyInit) {
      for await (const page of pages(path, init)) yield* page.data
    },
    changes: (feed?: FeedOptions) => readFeed(get, feed),
    forUser(user: string) {
      if (options.apiKey === undefined) throw new TypeError('Only a client with an API key can act for a user.')
      return build({ ...options, user }, tokens)
    },
  }
  // oxlint-disable-next-line typescript/consistent-type-assertions -- the routes' types are the description of these functions
  return client as unknown as Client
}

/** Creates a client. Without `apiKey` or `getToken`, it can call public routes only. */
export function createClient(options: ClientOptions): Client {
  return build(options, tokensOf(options))
}

export type { AnswerOf, paths }
