// The frame of every page: the head, the notice that this is a simulator, and the headers.
import type { LinkPage } from '../state/link-page.ts'
import type { LinkToken } from '../state/link-token.ts'
import { type Html, html } from './html.ts'

export const assetsPath = '/hl-assets'

export interface Shown {
  /** The path of the page's forms, such as `/hl/{link_token}`. */
  readonly base: string
  readonly title: string
  readonly body: Html
  /** Whose page it is: Link's or the bank's. */
  readonly site?: 'link' | 'bank'
  /** Messages to the embedding page, as JSON. */
  readonly messages?: string
}

/** The page as a whole. Works without a script; an embedded page also has one that talks to the embedding page. */
export function pageText({ title, body, site = 'link', messages }: Shown, parentOrigin: string | null): string {
  const embedded =
    parentOrigin !== null &&
    html`<script src="${assetsPath}/embed.js" defer></script>
      <meta name="plaid-simulator-parent" content="${parentOrigin}" />
      <meta name="plaid-simulator-messages" content="${messages ?? '[]'}" />`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Plaid simulator</title>
        <link rel="stylesheet" href="${assetsPath}/colors.css" />
        <link rel="stylesheet" href="${assetsPath}/style.css" />
        ${embedded}
      </head>
      <body class="${site}">
        <aside class="simulator" aria-label="Simulator">
          <strong>Simulator.</strong> No real bank and no real money. Never enter a real password.
        </aside>
        <main>${body}</main>
      </body>
    </html>`.text
}

/**
 * Headers of a page. `form-action` also covers the redirects after a form, so it names the pages of the application to
 * which a form can lead.
 */
export function pageHeaders(token: LinkToken | null, page: LinkPage | null): Record<string, string> {
  const targets = [token?.hosted?.completionUri, token?.redirectUri].flatMap((uri) => (uri ? [sourceOf(uri)] : []))
  const parent = page?.parentOrigin ?? null
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    ...(parent === null ? [] : ["script-src 'self'"]),
    ["form-action 'self'", ...targets].join(' '),
    `frame-ancestors ${parent ?? "'none'"}`,
    "base-uri 'none'",
  ]
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'cache-control': 'no-store',
    // A link token in the path must not reach other sites. Forms need their own origin in `Origin`.
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-robots-tag': 'noindex',
  }
}

/** The URL as a source of a content security policy: an origin, or the scheme of an application. */
function sourceOf(uri: string): string {
  const { origin, protocol } = new URL(uri)
  return origin === 'null' ? protocol : origin
}

/** A form with one button. */
export function button(base: string, action: string, label: string, kind: 'main' | 'quiet' = 'main'): Html {
  return html`<form method="post" action="${base}/${action}"><button class="${kind}">${label}</button></form>`
}
