// The change feed of everything, page by page, until nothing is left to read.
import type { GetPage } from './pages.ts'
import type { Changes } from './schema.ts'

export interface FeedOptions {
  /** The `next_since` of the last page that was stored; without it, everything is read. */
  readonly since?: string | undefined
  /** Changes of a page, at most 500. */
  readonly limit?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export type FeedPage = Changes

/** Reads the pages in order. The feed is read to its end once; call it again to read what came since. */
export async function* readFeed(
  get: GetPage,
  { since, limit, signal }: FeedOptions = {},
): AsyncGenerator<FeedPage, void> {
  let next = since
  for (;;) {
    const query = { ...(next === undefined ? {} : { since: next }), ...(limit === undefined ? {} : { limit }) }
    // oxlint-disable-next-line typescript/consistent-type-assertions -- the response of this route
    const page = (await get('/api/v1/changes', { signal, params: { query } })) as FeedPage
    yield page
    if (!page.has_more) return
    if (page.next_since === next) throw new Error('The change feed does not proceed.')
    next = page.next_since
  }
}
