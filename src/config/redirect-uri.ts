// Checks the URLs to which Plaid may redirect a user's browser after Link.

/** The name of a public domain (RFC 1123), as the URL parser writes it: in lower case, other scripts as `xn--`. */
const domain = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/

/**
 * Whether the text is an https URL of a domain without a login, a query or a fragment, which Plaid refuses. It must be
 * spelled as browsers spell it, because Plaid compares text. Outside strict environments, http to loopback is allowed.
 */
export function isRedirectUri(text: string, { strict }: { readonly strict: boolean }): boolean {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || /[?#]/.test(text)) return false
  if (url.href !== text && url.href !== `${text}/`) return false
  const isLocal = ['localhost', '127.0.0.1'].includes(url.hostname) && !strict
  return isLocal ? /^https?:$/.test(url.protocol) : url.protocol === 'https:' && domain.test(url.hostname)
}
