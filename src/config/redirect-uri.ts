// Where Plaid may send a user's browser after Link.

/** A name of a public domain (RFC 1123), as the URL parser writes it: lower case, and other scripts as `xn--`. */
const domain = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/

/**
 * Whether a text is an https URL of a domain without a login, a query or a fragment, which Plaid does not take. It must
 * be spelled as browsers spell it, since Plaid compares texts. A laptop may be reached by http where the environment is
 * not strict.
 */
export function isRedirectUri(text: string, { strict }: { readonly strict: boolean }): boolean {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || /[?#]/.test(text)) return false
  if (url.href !== text && url.href !== `${text}/`) return false
  const isLocal = ['localhost', '127.0.0.1'].includes(url.hostname) && !strict
  return isLocal ? /^https?:$/.test(url.protocol) : url.protocol === 'https:' && domain.test(url.hostname)
}
