// Conditional requests (RFC 9110, section 13): the entity tag of a list is made of everything that decides about its response,
// with the user's counter of changes for all rows. A request that names the current tag gets 304 after one read of the counter.
import { subjectHeader } from '../auth/subject-header.ts'
import type { Ctx, User } from '../context.ts'
import { sha256 } from '../crypto/digest.ts'
import { encodeBase64Url, lengthPrefixed } from '../crypto/encoding.ts'
import { type FeedCounter, readFeedCounter } from '../db/core/scope.ts'

/**
 * What the responses of a route depend on, besides the request and the version of the Worker: rows whose every change raises
 * the counter (docs/feed.md), or these and the day in UTC.
 */
export type EntityTag = 'counter' | 'counter_and_day'

interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | string[]>>
  /** Undefined for a response without a body. */
  readonly body: unknown
}

interface Conditional {
  readonly routeId: string
  readonly entityTag: EntityTag
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: Headers
}

/** Enough that two states never share a tag. */
const tagBytes = 16
/** A longer `If-None-Match` is ignored. It holds about 70 tags of this API. */
const longestHeader = 2048
/** One element of a list of entity tags, which may be empty, with the comma or the end after it. */
const element = /[\t ]*(?:(?:W\/)?("[\u0021\u0023-\u007E\u0080-\u00FF]*")[\t ]*)?(?:,|$)/y

/** The opaque parts of the tags in `If-None-Match`, which are compared weakly; `*` for any. None if it is malformed. */
export function namedTags(header: string | null): ReadonlySet<string> | '*' {
  if (header === null || header.length > longestHeader) return new Set()
  if (header.trim() === '*') return '*'
  const tags = new Set<string>()
  element.lastIndex = 0
  while (element.lastIndex < header.length) {
    const found = element.exec(header)
    if (found === null) return new Set()
    if (found[1] !== undefined) tags.add(found[1])
  }
  return tags
}

let isolate: string | null = null
/** Without a version, which a development machine lacks, another isolate may run other code. */
const buildOf = (version: string | null): string => version ?? (isolate ??= crypto.randomUUID())

const inOrder = (fields: Iterable<readonly [string, string]>) =>
  [...fields].toSorted(([one], [other]) => (one < other ? -1 : 1))

/** A weak tag: compression changes the bytes of a response. Shows neither the counter nor the user. */
async function tagOf(
  { services, now }: Ctx,
  request: Conditional,
  { userId, epoch, number }: FeedCounter,
): Promise<string> {
  const { routeId, entityTag, params, query } = request
  const digest = await sha256(
    lengthPrefixed([
      buildOf(services.version),
      routeId,
      JSON.stringify([inOrder(Object.entries(params)), inOrder(query)]),
      userId,
      String(epoch),
      number,
      entityTag === 'counter_and_day' ? now().toISOString().slice(0, 10) : '',
    ]),
  )
  return `W/"${encodeBase64Url(digest.subarray(0, tagBytes))}"`
}

/** Browsers send one of these headers with the requests of pages. */
const isOfPage = (headers: Headers): boolean => headers.has('origin') || headers.has('sec-fetch-site')

/**
 * Headers of a response with a tag. The caches of other clients may store it and ask whether it has changed. A browser may not: its
 * cache outlives the session of its user.
 */
const tagHeaders = (tag: string, { headers }: Conditional) => ({
  etag: tag,
  vary: `Authorization, ${subjectHeader}`,
  ...(isOfPage(headers) ? {} : { 'cache-control': 'private, no-cache' }),
})

/**
 * Responds with 304, or with the response of `respond` and its tag. The caller has checked access. The counter is read before
 * the rows, in their transaction: a row that changes in between is in the response, and the next request gets it again.
 */
export async function respondConditionally(
  ctx: Ctx<User>,
  request: Conditional,
  respond: (ctx: Ctx<User>) => Promise<Reply>,
): Promise<Reply> {
  const begun = ctx.now()
  const now = (): Date => begun
  const named = namedTags(request.headers.get('if-none-match'))
  const notModified = (tag: string): Reply => ({ status: 304, headers: tagHeaders(tag, request), body: undefined })
  if (named !== '*' && named.size > 0) {
    const counter = await readFeedCounter(ctx.services.api, ctx.actor.identity)
    const tag = counter === null ? null : await tagOf({ ...ctx, now }, request, counter)
    if (tag !== null && named.has(tag.slice('W/'.length))) return notModified(tag)
  }
  const read: FeedCounter[] = []
  const api = { ...ctx.services.api, onCounter: (counter: FeedCounter) => void read.push(counter) }
  const reply = await respond({ ...ctx, now, services: { ...ctx.services, api } })
  // Several batches could see different states.
  const [counter, ...others] = read
  if (counter === undefined || others.length > 0 || reply.status !== 200) return reply
  const tag = await tagOf({ ...ctx, now }, request, counter)
  // `*` names no state that the client has, so it needs the response that shows whether there is one.
  if (named === '*') return notModified(tag)
  return { ...reply, headers: { ...reply.headers, ...tagHeaders(tag, request) } }
}
