// One declaration a route: what it takes, who may call it, what it answers and how it can fail. What comes in and what
// leaves are parsed here, once, so that no handler sees an unchecked value and no undeclared field gets out.
import * as z from 'zod'
import { isReadOnly } from '../auth/access-token.ts'
import type { Actor, Ctx, User } from '../context.ts'
import { AppError, type ErrorCode } from '../errors.ts'
import type { RouteEvent } from '../monitoring/security-events.ts'
import type { RoutePolicy } from '../ratelimit/policies.ts'
import { isJson, parseBody, parseParameters, parseQuery } from './input.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type Access = 'public' | 'user' | 'admin'
/** The rate limit that a route counts against, beside the global one. */
export type RateLimit = RoutePolicy | 'webhook' | 'refresh'
/** Status → schema of the body, or null for none. */
export type Answers = Readonly<Record<number, z.ZodType | null>>
/** A strict object, or the bytes as they came. */
export type BodySchema = z.ZodObject | 'bytes'

/** What the API's description tells of a route. */
export interface RouteFacts {
  readonly id: string
  readonly method: Method
  /** With parameters as `{name}`. */
  readonly path: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly access: Access
  readonly limit?: RateLimit
  /** How the route's requests are found in the log. Administrators' routes have `admin_read` and `admin_change`. */
  readonly event?: RouteEvent
  /** Refuse a token whose session has ended, not only one that has expired. Administrators' routes always do. */
  readonly session?: 'live'
  readonly params?: z.ZodObject | undefined
  readonly query?: z.ZodObject | undefined
  readonly headers?: z.ZodObject | undefined
  readonly body?: BodySchema | undefined
  /** An absent body counts as `{}`. */
  readonly bodyOptional?: boolean
  readonly answers: Answers
  /** Besides those that access, input and platform bring with them. */
  readonly errors: readonly ErrorCode[]
  /** Of a success whose body is text; JSON unless it is said here. */
  readonly mediaType?: 'text/plain; charset=utf-8'
  /** `Cache-Control` of a success; `no-store` unless it is said here. */
  readonly cacheControl?: string
}

/** A request before any of it was parsed. */
export interface IncomingRequest {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: Headers
  readonly readBody: () => Promise<Uint8Array>
}

/** Of one answer, beside those that every answer has; a list is sent as one header each. */
type OwnHeaders = Readonly<Record<string, string | string[]>>

export interface Outgoing {
  readonly status: number
  readonly headers?: OwnHeaders
  /** Undefined for an answer without a body. */
  readonly body: unknown
}

export interface Route extends RouteFacts {
  /** @throws AppError of the declared codes; whatever else is thrown is a defect */
  respond(ctx: Ctx, request: IncomingRequest): Promise<Outgoing>
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : Schema extends 'bytes' ? Uint8Array : undefined

export interface Input<Params, Query, Headers, Body> {
  readonly params: Parsed<Params>
  readonly query: Parsed<Query>
  readonly headers: Parsed<Headers>
  readonly body: Parsed<Body>
}

type Reply<Given extends Answers> = {
  [Status in keyof Given & number]: Given[Status] extends z.ZodType
    ? { readonly status: Status; readonly body: z.input<Given[Status]>; readonly headers?: OwnHeaders }
    : { readonly status: Status; readonly headers?: OwnHeaders }
}[keyof Given & number]

type Declaration = Omit<RouteFacts, 'access'>

/** Answers what the schema declares of it; a reply that does not fit is our defect and is not sent. */
function parseReply(answers: Answers, reply: Omit<Outgoing, 'body'> & { readonly body?: unknown }): Outgoing {
  const schema = answers[reply.status]
  const refuse = (reason: string): AppError => new AppError('internal', 'Something went wrong on our side.', { reason })
  if (schema === undefined) throw refuse(`undeclared status ${reply.status}`)
  const { body, ...head } = reply
  if (schema === null) return { ...head, body: undefined }
  const parsed = schema.safeParse(body)
  if (parsed.success) return { ...head, body: parsed.data }
  const issues = parsed.error.issues.slice(0, 5)
  throw refuse(`undeclared answer: ${issues.map(({ path, code }) => `${path.join('.')} ${code}`).join('; ')}`)
}

const nothing = z.strictObject({})

/** Where no body is declared there may be none, or an empty object: what a client says is never silently dropped. */
async function readBody(
  { body: schema, bodyOptional = false }: Pick<RouteFacts, 'body' | 'bodyOptional'>,
  request: IncomingRequest,
): Promise<unknown> {
  const bytes = await request.readBody()
  if (schema === 'bytes' || (schema === undefined && bytes.length === 0)) return bytes
  const type = request.headers.get('content-type')
  // A form without fields has a type and no body, and is not taken for an absent one.
  if (schema !== undefined && bodyOptional && bytes.length === 0 && (type === null || isJson(type)))
    return schema.parse({})
  return parseBody(schema ?? nothing, bytes, request.headers)
}

async function parseInput<Params, Query, Headers, Body>(
  facts: Pick<RouteFacts, 'method' | 'params' | 'query' | 'headers' | 'body' | 'bodyOptional'>,
  request: IncomingRequest,
): Promise<Input<Params, Query, Headers, Body>> {
  const { params, query, headers } = facts
  const input = {
    params: params && parseParameters(params, request.params),
    query: query && parseQuery(query, request.query),
    headers: headers && parseParameters(headers, Object.fromEntries(request.headers)),
    body: facts.method === 'GET' ? undefined : await readBody(facts, request),
  }
  // oxlint-disable-next-line typescript/consistent-type-assertions -- each member was parsed by the schema of its type
  return input as Input<Params, Query, Headers, Body>
}

function isUsers(ctx: Ctx): ctx is Ctx<User> {
  return ctx.actor.kind === 'user'
}

/**
 * Who may call: a user, an administrator; to change anything, a token that may do more than read.
 * @throws AppError `unauthorized`, also where a mount forgot to authenticate; `forbidden`
 */
function authorize(ctx: Ctx, { access, method }: { access: 'user' | 'admin'; method: Method }): Ctx<User> {
  if (!isUsers(ctx)) throw new AppError('unauthorized', 'A valid access token is required.', { reason: 'no user' })
  if (access === 'admin' && ctx.actor.role !== 'admin')
    throw new AppError('forbidden', 'This request needs the administrator role.', { reason: 'role' })
  if (method !== 'GET' && isReadOnly(ctx.actor.scopes))
    throw new AppError('forbidden', 'This access token is read-only.', { reason: 'scope' })
  return ctx
}

/**
 * Tokens of an issuer and of an operator name no session here; they are good until they expire.
 * @throws AppError `unauthorized` when the session is over
 */
async function requireSession(
  ctx: Ctx<User>,
  { access, session }: Pick<RouteFacts, 'access' | 'session'>,
): Promise<void> {
  if (ctx.actor.sessionId === undefined || (session !== 'live' && access !== 'admin')) return
  const { requireLiveSession } = await import('../identity/live-session.ts')
  await requireLiveSession(ctx)
}

type Handler<Who extends Actor, Facts extends Declaration> = (
  ctx: Ctx<Who>,
  input: Input<Facts['params'], Facts['query'], Facts['headers'], Facts['body']>,
) => Promise<Reply<Facts['answers']>>

/** A declaration that lacks its handler. In two steps, since TypeScript knows the handler's types only after the first. */
interface Declared<Who extends Actor, Facts extends Declaration> {
  handle(handler: Handler<Who, Facts>): Route
}

/** A route that anybody may call. */
export function publicRoute<const Facts extends Declaration>(facts: Facts): Declared<Actor, Facts> {
  return {
    handle: (handler) => ({
      ...facts,
      access: 'public',
      respond: async (ctx, request) => parseReply(facts.answers, await handler(ctx, await parseInput(facts, request))),
    }),
  }
}

/** A route for users, or for administrators alone. Who calls is checked before anything is read. */
export function route<const Facts extends Declaration & { readonly access: 'user' | 'admin' }>(
  facts: Facts,
): Declared<User, Facts> {
  const strict = { ...facts, query: facts.query ?? nothing }
  return {
    handle: (handler) => ({
      ...facts,
      respond: async (ctx, request) => {
        const users = authorize(ctx, facts)
        const input: Parameters<typeof handler>[1] = await parseInput(strict, request)
        await requireSession(users, facts)
        return parseReply(facts.answers, await handler(users, input))
      },
    }),
  }
}
