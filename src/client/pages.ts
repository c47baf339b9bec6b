// Lists, page by page.
import type { Page } from './types.ts'

/** A call of a list. `params` is what the caller gave. */
export type GetPage = (path: string, init: PageInit) => Promise<unknown>

export interface PageInit {
  readonly params?: unknown
  readonly signal?: AbortSignal | undefined
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** The caller's init with another query parameter. */
function withQuery<Init extends PageInit>(init: Init, query: Readonly<Record<string, unknown>>): Init {
  const params = isRecord(init.params) ? init.params : {}
  const given = isRecord(params['query']) ? params['query'] : {}
  return { ...init, params: { ...params, query: { ...given, ...query } } }
}

/** Reads the pages in order. A list that names its own cursor again would never end. */
export async function* readPages(get: GetPage, path: string, init: PageInit): AsyncGenerator<Page<unknown>, void> {
  let cursor: string | null = null
  do {
    // oxlint-disable-next-line typescript/consistent-type-assertions -- every list has this form
    const page = (await get(path, cursor === null ? init : withQuery(init, { cursor }))) as Page<unknown>
    yield page
    if (page.next_cursor !== null && page.next_cursor === cursor) throw new Error(`${path} does not proceed.`)
    cursor = page.next_cursor
  } while (cursor !== null)
}
