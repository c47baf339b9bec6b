// The headers of the files that are served without the Worker: hashed scripts, styles and images
// (https://developers.cloudflare.com/workers/static-assets/headers/). Pages get theirs from the Worker.

import { everyResponse, strictTransport } from '../../response-headers.ts'

/** The content of `_headers`. RFC 6797 forbids Strict-Transport-Security over http, so only deployments send it. */
export function assetHeaders({ strict }: { readonly strict: boolean }): string {
  const all = [
    ...everyResponse,
    // A changed file has another name.
    ['Cache-Control', 'public, max-age=31536000, immutable'],
    ...(strict ? [['Strict-Transport-Security', strictTransport]] : []),
  ]
  return ['/assets/*', ...all.map(([name, value]) => `  ${name}: ${value}`), ''].join('\n')
}
