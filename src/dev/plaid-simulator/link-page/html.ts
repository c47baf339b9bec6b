// HTML as tagged templates. Every value is escaped unless it is Html itself.

export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Value = Html | readonly Html[] | string | number | false | null

export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  const written = values.map((value, index) => `${textOf(value)}${parts[index + 1] ?? ''}`)
  return new Html(`${parts[0] ?? ''}${written.join('')}`)
}

function textOf(value: Value): string {
  if (value === false || value === null) return ''
  if (value instanceof Html) return value.text
  if (typeof value === 'string' || typeof value === 'number') return escaped(String(value))
  return value.map(({ text }) => text).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}
