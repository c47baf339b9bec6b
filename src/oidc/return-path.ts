// The page that a sign-in returns to. It is a path of the console, so that no link can make the sign-in lead elsewhere.

const mostCharacters = 1000
/** The API and files, which are no pages. */
const isPage = (path: string): boolean => !/^\/(?:api|assets|console|docs|\.well-known)(?:\/|$)/.test(path)

/** The path and the query of a page of the console, as a browser resolves them; `/` for everything else. */
export function returnPathOf(text: string | null): string {
  if (text === null || text.length > mostCharacters || !text.startsWith('/')) return '/'
  const base = 'https://console.invalid'
  const url = URL.parse(text, base)
  if (url?.origin !== base || !isPage(url.pathname)) return '/'
  const path = `${url.pathname}${url.search}`
  // `/.//host` resolves to `//host`, which a browser would take for another host.
  // Escaped text is longer.
  return path.length <= mostCharacters && /^\/(?:[^/\\]|$)/.test(path) ? path : '/'
}
