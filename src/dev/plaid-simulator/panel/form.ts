// Reads the fields of the panel's forms. A field that is wrong is a sentence for the person, not a request.
import { exact } from '../bank/number.ts'
import type { RawNumber } from '../bank/values.ts'
import { parseExact } from '../lib/exact-json.ts'

/** Why a form cannot be sent. The message is a sentence. */
export class FormProblem extends Error {
  override readonly name = 'FormProblem'
}

export interface Form {
  /** The trimmed text; empty where the form has no such field. */
  text(name: string): string
  isChecked(name: string): boolean
  /** An amount above zero, with its digits. */
  amount(name: string, label: string): RawNumber
  whole(name: string, label: string, minimum: number, maximum: number): number
  oneOf<Value extends string>(name: string, label: string, values: readonly Value[]): Value
  json(name: string, label: string): unknown
}

export function formOf(fields: URLSearchParams): Form {
  const text = (name: string): string => fields.get(name)?.trim() ?? ''
  return {
    text,
    isChecked: (name) => fields.has(name),
    amount(name, label) {
      const given = text(name)
      if (!/^(?:0|[1-9]\d*)(?:\.\d+)?$/.test(given) || !/[1-9]/.test(given))
        throw new FormProblem(`${label} must be a number above zero, such as 12.50.`)
      return exact(given)
    },
    whole(name, label, minimum, maximum) {
      const given = text(name)
      const number = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN
      if (!(number >= minimum && number <= maximum))
        throw new FormProblem(`${label} must be a whole number from ${minimum} to ${maximum}.`)
      return number
    },
    oneOf(name, label, values) {
      const given = text(name)
      const found = values.find((value) => value === given)
      if (found === undefined) throw new FormProblem(`${label} must be chosen from the list.`)
      return found
    },
    json(name, label) {
      try {
        return parseExact(text(name))
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error
        throw new FormProblem(`${label} must be JSON. Text needs quotes, such as "abc".`)
      }
    },
  }
}
