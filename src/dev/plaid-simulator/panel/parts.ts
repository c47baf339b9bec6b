// Parts that several pages of the panel have.
import { type Html, html } from '../link-page/html.ts'

interface ActionParts {
  /** Where the form is sent. */
  readonly path: string
  /** What it will do. */
  readonly effect: string
  readonly button: string
  readonly fields?: Html | null
  /** Asks for a tick before an action that cannot be undone. */
  readonly confirm?: string
}

/** A form with what it will do, its fields and its button. */
export function action({ path, effect, button, fields = null, confirm }: ActionParts): Html {
  return html`<form method="post" action="${path}" autocomplete="off">
    <p class="effect">${effect}</p>
    ${fields !== null && html`<div class="fields">${fields}</div>`}
    ${confirm !== undefined && tick('sure', confirm, true)}
    <button ${confirm !== undefined && html`class="danger"`}>${button}</button>
  </form>`
}

export const tick = (name: string, label: string, isRequired = false): Html =>
  html`<label class="tick"><input type="checkbox" name="${name}" ${isRequired && html`required`} /> ${label}</label>`

interface Choice {
  readonly value: string
  readonly label: string
}

export function choose(name: string, label: string, choices: readonly Choice[], chosen = ''): Html {
  const options = choices.map(
    ({ value, label: text }) => html`<option value="${value}" ${value === chosen && html`selected`}>${text}</option>`,
  )
  return html`<label
    >${label}<select name="${name}">
      ${options}
    </select></label
  >`
}

interface FieldParts {
  readonly name: string
  readonly label: string
  readonly value?: string
  readonly type?: 'text' | 'date' | 'number'
  readonly isOptional?: boolean
  readonly hint?: string
}

export function field({ name, label, value = '', type = 'text', isOptional = false, hint }: FieldParts): Html {
  return html`<label
    >${label}<input
      name="${name}"
      type="${type}"
      value="${value}"
      ${!isOptional && html`required`}
      ${hint !== undefined && html`placeholder="${hint}"`}
      ${type === 'number' && html`min="0" step="1"`}
      ${name === 'amount' && html`inputmode="decimal" pattern="[0-9]+([.][0-9]+)?" title="A number such as 4.50"`}
  /></label>`
}

export const hidden = (name: string, value: string): Html =>
  html`<input type="hidden" name="${name}" value="${value}" />`
