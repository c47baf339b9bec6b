// The headers of the files that are served without the Worker: hashed scripts, styles and images
// (https://developers.cloudflare.com/workers/static-assets/headers/). Pages get theirs from the Worker.

const deniedToAll = [
  'X-Content-Type-Options: nosniff',
  'X-Frame-Options: DENY',
  "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Referrer-Policy: no-referrer',
  'Cross-Origin-Opener-Policy: same-origin',
  'Cross-Origin-Embedder-Policy: require-corp',
  'Cross-Origin-Resource-Policy: same-origin',
  // A changed file has another name.
  'Cache-Control: public, max-age=31536000, immutable',
]

/** The content of `_headers`. RFC 6797 forbids Strict-Transport-Security over http, so only deployments send it. */
export function assetHeaders({ strict }: { readonly strict: boolean }): string {
  const transport = strict ? ['Strict-Transport-Security: max-age=31536000; includeSubDomains'] : []
  return ['/assets/*', ...[...deniedToAll, ...transport].map((line) => `  ${line}`), ''].join('\n')
}
