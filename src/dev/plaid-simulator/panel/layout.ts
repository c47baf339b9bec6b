// The frame of the panel's pages: where one is, the notice that this is a simulator, what happened last, and the headers.
import { type Html, html } from '../link-page/html.ts'
import { assetsPath as linkAssetsPath } from '../link-page/layout.ts'
import type { Outcome } from './outcome.ts'

export const panelPath = '/panel'
export const stylePath = `${panelPath}/style.css`

export interface PanelPage {
  /** The entry of the navigation that the page belongs to. */
  readonly here: 'banks' | 'webhooks' | 'failures' | 'clock'
  readonly title: string
  readonly body: Html
}

interface Said {
  /** What the form that led here did; null otherwise. */
  readonly now: Outcome | null
  /** What happened so far, newest first. */
  readonly all: readonly Outcome[]
}

const entries = [
  { key: 'banks', path: panelPath, label: 'Banks' },
  { key: 'webhooks', path: `${panelPath}/webhooks`, label: 'Webhooks' },
  { key: 'failures', path: `${panelPath}/failures`, label: 'Failures' },
  { key: 'clock', path: `${panelPath}/clock`, label: 'Clock' },
] as const

export function pageText({ here, title, body }: PanelPage, { now, all }: Said): string {
  const links = entries.map(
    ({ key, path, label }) =>
      html`<li><a href="${path}" ${key === here && html`aria-current="page"`}>${label}</a></li>`,
  )
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · The bank (simulator)</title>
        <link rel="stylesheet" href="${linkAssetsPath}/colors.css" />
        <link rel="stylesheet" href="${stylePath}" />
      </head>
      <body>
        <aside class="simulator" aria-label="Simulator">
          <strong>Simulator.</strong> No real bank and no real money. You play the bank here.
        </aside>
        <header class="top">
          <span class="brand">The bank</span>
          <nav aria-label="Panel">
            <ul>
              ${links}
            </ul>
          </nav>
        </header>
        <main>
          ${now !== null && announcement(now)}
          <h1>${title}</h1>
          ${body} ${all.length > 0 && history(all)}
        </main>
      </body>
    </html>`.text
}

/** Has the focus, so that a screen reader says it and the keyboard continues here. */
function announcement(outcome: Outcome): Html {
  const role = outcome.isDone ? 'status' : 'alert'
  return html`<div class="outcome ${outcome.isDone ? 'done' : 'refused'}">
    <p role="${role}" tabindex="-1" autofocus>${outcome.words}</p>
    ${exchangeOf(outcome)}
  </div>`
}

function exchangeOf({ exchange }: Outcome): Html | null {
  if (exchange === null) return null
  const { request, status, answer } = exchange
  return html`<details>
    <summary>Request and response</summary>
    <pre tabindex="0" role="group" aria-label="Request and response">
${request}

${status} ${answer}</pre>
  </details>`
}

function history(all: readonly Outcome[]): Html {
  const rows = all.map(
    (outcome) =>
      html`<li>
        <p>
          <time datetime="${outcome.at}">${outcome.at.slice(11, 19)}</time>
          ${!outcome.isDone && html`<strong>Refused.</strong>`} ${outcome.words}
        </p>
        ${exchangeOf(outcome)}
      </li>`,
  )
  return html`<section class="card history" aria-labelledby="history">
    <h2 id="history">What you did here</h2>
    <ol>
      ${rows}
    </ol>
  </section>`
}

/** No script, nothing of another origin, no frame, and forms that lead to this origin alone. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // Forms need their own origin in `Origin`.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex',
}
