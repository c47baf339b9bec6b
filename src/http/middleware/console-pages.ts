// The pages of the console. Every path that is not the API's is one page, whose script shows what the address names; the
// reference is a separate page.
import { servicesOf } from '../mount.ts'
import type { Middleware, RequestState } from '../request-state.ts'

const files: Readonly<Record<string, string>> = { '/docs': '/docs.html' }
const application = '/index.html'

/** Whether a browser navigates to a page: scripts of other clients get the API's 404 as before. */
function isNavigation(headers: Headers): boolean {
  const mode = headers.get('sec-fetch-mode')
  return (mode === null || mode === 'navigate') && (headers.get('accept') ?? '').includes('text/html')
}

const isOfApi = (path: string): boolean => /^\/(?:api|assets|console|\.well-known)(?:\/|$)/.test(path)

/** Serves the pages. Mount it last, so that no route is hidden. */
export function consolePages(): Middleware {
  return async (context, next) => {
    const { readAsset } = servicesOf(context)
    const { path, raw } = context.req
    if (readAsset === null || isOfApi(path) || !isNavigation(raw.headers)) return await next()
    const file = await readAsset(files[path] ?? application)
    // A Worker that was deployed without the console's files.
    if (file.status !== 200) {
      await file.body?.cancel()
      return await next()
    }
    context.set('page', true)
    context.set('route', 'console' satisfies RequestState['route'])
    return new Response(file.body, { headers: { 'content-type': 'text/html; charset=utf-8' } })
  }
}
