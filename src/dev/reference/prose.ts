// Texts of the description as HTML: names in backticks are code.
import { html } from 'hono/html'

/** A part of a page, escaped. */
export type Html = ReturnType<typeof html>

export function prose(text: string): Html {
  const parts = text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))
  return html`${parts}`
}
