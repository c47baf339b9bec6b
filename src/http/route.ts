// The declaration of a route: its input, access, responses and errors. Input and output are parsed here, once: no handler sees
// an unvalidated value, and no undeclared field is sent.
import type { RouteAudit } from '../audit/actions.ts'
import { audit, recordAlone } from '../audit/audit.ts'
import * as z from 'zod'
import { metricsScope } from '../auth/token-rights.ts'
import { isReadOnly } from '../auth/access-token.ts'
import type { Actor, Ctx, User } from '../context.ts'
import { AppError } from '../errors.ts'
import { requirePurpose } from '../privacy/consents.ts'
import { requireNotErased } from '../privacy/require-not-erased.ts'
import { type EntityTag, respondConditionally } from './conditional.ts'
import { idempotencyHeader, idempotencyName } from './idempotency-key.ts'
import { authorizeKey } from './key-access.ts'
import { isJson, parseBody, parseParameters, parseQuery } from './input.ts'
import type {
  Answers,
  IncomingRequest,
  Method,
  Outgoing,
  OwnHeaders,
  Route,
  RouteDescription,
} from './route-description.ts'

export type {
  Access,
  Answers,
  BodySchema,
  IncomingRequest,
  Method,
  Outgoing,
  Route,
  RouteDescription,
} from './route-description.ts'

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

/** A route that may change something says what it records. */
type Declaration = Omit<RouteDescription, 'access' | 'audit' | 'entityTag' | 'method'> &
  (
    | { readonly method: 'GET'; readonly audit?: RouteAudit; readonly entityTag?: EntityTag }
    | { readonly method: Exclude<Method, 'GET'>; readonly audit: RouteAudit; readonly entityTag?: never }
  )

/** Reduces a reply to the declared fields. A reply that does not match its schema is a defect and is not sent. */
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

/** Without a declared body, only an absent body or an empty object is accepted: input is never silently dropped. */
async function readBody(
  { body: schema, bodyOptional = false }: Pick<RouteDescription, 'body' | 'bodyOptional'>,
  request: IncomingRequest,
): Promise<unknown> {
  const bytes = await request.readBody()
  if (schema === 'bytes' || (schema === undefined && bytes.length === 0)) return bytes
  const type = request.headers.get('content-type')
  // A form without fields has a type and no body, and does not count as absent.
  if (schema !== undefined && bodyOptional && bytes.length === 0 && (type === null || isJson(type)))
    return schema.parse({})
  return parseBody(schema ?? nothing, bytes, request.headers)
}

async function parseInput<Params, Query, Headers, Body>(
  declaration: Pick<RouteDescription, 'method' | 'params' | 'query' | 'headers' | 'body' | 'bodyOptional'>,
  request: IncomingRequest,
): Promise<Input<Params, Query, Headers, Body>> {
  const { params, query, headers } = declaration
  const input = {
    params: params && parseParameters(params, request.params),
    query: query && parseQuery(query, request.query),
    headers: headers && parseParameters(headers, Object.fromEntries(request.headers)),
    body: declaration.method === 'GET' ? undefined : await readBody(declaration, request),
  }
  // oxlint-disable-next-line typescript/consistent-type-assertions -- each member was parsed by the schema of its type
  return input as Input<Params, Query, Headers, Body>
}

function isUsers(ctx: Ctx): ctx is Ctx<User> {
  return ctx.actor.kind === 'user'
}

/**
 * Checks access: a user or an administrator, and for changes a token that is not read-only.
 * @throws AppError `unauthorized`, also if a mount forgot to authenticate; `forbidden`
 */
function authorize(
  ctx: Ctx,
  declaration: Pick<RouteDescription, 'access' | 'method' | 'scope' | 'keys' | 'isRead' | 'ofApplications'>,
): Ctx<User> {
  const { access, method, scope, keys, isRead = method === 'GET' } = declaration
  if (!isUsers(ctx)) throw new AppError('unauthorized', 'A valid access token is required.', { reason: 'no user' })
  if (access === 'admin' && ctx.actor.role !== 'admin')
    throw new AppError('forbidden', 'This request needs the administrator role.', { reason: 'role' })
  const { apiKey } = ctx.actor
  if (apiKey === undefined && keys === 'only')
    throw new AppError('forbidden', 'This request needs an API key.', { reason: 'no key' })
  if (apiKey !== undefined) authorizeKey(ctx.actor, apiKey, declaration)
  else if (ctx.actor.scopes.includes(metricsScope) && scope !== metricsScope)
    throw new AppError('forbidden', 'This access token can only read the metrics.', { reason: 'scope' })
  else if (!isRead && isReadOnly(ctx.actor.scopes))
    throw new AppError('forbidden', 'This access token is read-only.', { reason: 'scope' })
  return access === 'admin' ? { ...ctx, actor: { ...ctx.actor, isAdministering: true } } : ctx
}

/**
 * Requires a live session. Tokens of an issuer or operator have no session and are valid until they expire, or until their
 * person is erased.
 * @throws AppError `unauthorized` if the session has ended, or the person was erased
 */
async function requireSession(
  ctx: Ctx<User>,
  { access, session }: Pick<RouteDescription, 'access' | 'session'>,
): Promise<void> {
  // These routes do not enter the database as the user, which refuses a person who was erased.
  if (access === 'admin' && ctx.actor.sessionId === undefined && ctx.actor.apiKey === undefined)
    await requireNotErased(ctx)
  if (ctx.actor.sessionId === undefined || (session !== 'live' && access !== 'admin')) return
  const { requireLiveSession } = await import('../identity/live-session.ts')
  await requireLiveSession(ctx)
}

const aboutUser = z.object({ user_id: z.uuid() })
const aboutItem = z.object({ id: z.uuid() })

/** Of whom a route reads: of the user in its query, or of the user of the item in its path. */
function ownerOf({ about }: Pick<RouteDescription, 'about'>, { query, params }: { query: unknown; params: unknown }) {
  const user = aboutUser.safeParse(query).data
  if (user !== undefined) return { owner: { userId: user.user_id } }
  const item = about === 'item' ? aboutItem.safeParse(params).data : undefined
  return item === undefined ? {} : { owner: { itemId: item.id } }
}

/** An administrator reads nothing that the trail does not say; of one user, the trail of the user says it too. */
async function recordRead(
  ctx: Ctx<User>,
  declaration: Pick<RouteDescription, 'id' | 'about'>,
  input: { query: unknown; params: unknown },
): Promise<void> {
  const row = await audit(ctx, { action: 'admin_read', target: declaration.id, ...ownerOf(declaration, input) })
  await recordAlone(ctx, row)
}

type Handler<Who extends Actor, Given extends Declaration> = (
  ctx: Ctx<Who>,
  input: Input<Given['params'], Given['query'], Given['headers'], Given['body']>,
) => Promise<Reply<Given['answers']>>

/** A declaration without its handler. Two steps, because TypeScript infers the types of the handler from the first. */
interface Declared<Who extends Actor, Given extends Declaration> {
  handle(handler: Handler<Who, Given>): Route
}

/** A public route. */
export function publicRoute<const Given extends Declaration>(declaration: Given): Declared<Actor, Given> {
  return {
    handle: (handler) => ({
      ...declaration,
      access: 'public',
      respond: async (ctx, request) =>
        parseReply(declaration.answers, await handler(ctx, await parseInput(declaration, request))),
    }),
  }
}

/** A read runs while the consent is checked. Its result is dropped where the user does not allow it. */
async function ifAllowed<Read>(allowed: Promise<void>, reading: Promise<Read>): Promise<Read> {
  void reading.catch(() => undefined)
  await allowed
  return await reading
}

/** A route for users or administrators. Access is checked before input is read. */
export function route<const Given extends Declaration & { readonly access: 'user' | 'admin' }>(
  declaration: Given,
): Declared<User, Given> {
  const strict = { ...declaration, query: declaration.query ?? nothing }
  return {
    handle: (handler) => ({
      ...declaration,
      respond: async (ctx, request) => {
        const users = authorize(ctx, declaration)
        const input: Parameters<typeof handler>[1] = await parseInput(strict, request)
        await requireSession(users, declaration).catch((error: unknown) => {
          const isOutage = error instanceof AppError && error.code === 'unavailable'
          if (declaration.servesWithoutDatabase !== true || !isOutage) throw error
        })
        const { purpose, entityTag, id: routeId } = declaration
        const respond = async (given: Ctx<User>) => parseReply(declaration.answers, await handler(given, input))
        const read = async () =>
          entityTag === undefined
            ? await respond(users)
            : await respondConditionally(users, { ...request, entityTag, routeId }, respond)
        const allowed = purpose === undefined ? null : requirePurpose(users, purpose)
        if (declaration.method === 'GET' && declaration.access === 'user')
          return await (allowed === null ? read() : ifAllowed(allowed, read()))
        await allowed
        const isRecorded = declaration.audit === undefined || !('none' in declaration.audit)
        if (declaration.access === 'admin' && declaration.method === 'GET' && isRecorded)
          await recordRead(users, declaration, input)
        const run = async () => await respond(users)
        if (declaration.idempotency === undefined) return await run()
        const key = idempotencyHeader.parse(request.headers.get(idempotencyName) ?? undefined)
        if (key === undefined) return await run()
        const { headers: _, ...rest } = input
        return await (await import('./run-once.ts')).runOnce(users, { route: declaration, key, input: rest }, run)
      },
    }),
  }
}
