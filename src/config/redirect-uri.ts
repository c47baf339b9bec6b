// Where Plaid may send a user's browser after Link.

/**
 * Whether a text is an https URL without a login, a query or a fragment, which Plaid does not take. A laptop may be reached
 * by http where the environment is not strict.
 */
export function isRedirectUri(text: string, { strict }: { readonly strict: boolean }): boolean {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || /[?#]/.test(text)) return false
  const isLocal = url.protocol === 'http:' && ['localhost', '127.0.0.1'].includes(url.hostname) && !strict
  return url.protocol === 'https:' || isLocal
}
