// Paths into JSON, and copies of a value with changes at a path. The original stays as it is. A path has names and list
// positions: `accounts[0].balances.current`, `added[*].date`, `added[-1]`, `added[name=Corner Grocer]`.
import { isRecord } from './exact-json.ts'

type Step =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'place'; readonly place: number }
  | { readonly kind: 'every' }
  /** The elements whose member has this value, written as text. */
  | { readonly kind: 'where'; readonly name: string; readonly value: string }

export type JsonPath = readonly Step[]

/** Returned by a change to remove the value from its object or list. */
export const removed = Symbol('removed')

const stepPattern = /\.?(?:(?<name>[^.[\]]+)|\[(?<inside>[^\]]*)\])/y

/** The path's steps, or null for text that is not a path. A leading `$` is allowed. */
export function parsePath(text: string): JsonPath | null {
  const rest = text.startsWith('$') ? text.slice(1) : text
  const steps: Step[] = []
  stepPattern.lastIndex = 0
  while (stepPattern.lastIndex < rest.length) {
    const groups = stepPattern.exec(rest)?.groups
    if (groups === undefined) return null
    const { name, inside = '' } = groups
    const step: Step | null = name === undefined ? insideBrackets(inside) : { kind: 'name', name }
    if (step === null) return null
    steps.push(step)
  }
  return steps.length === 0 ? null : steps
}

function insideBrackets(text: string): Step | null {
  if (text === '*') return { kind: 'every' }
  if (/^-?\d+$/.test(text)) return { kind: 'place', place: Number(text) }
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  return name === undefined || value === undefined ? null : { kind: 'where', name, value }
}

/** The value with every match of the path changed; the same value without a match. */
export function changedAt(value: unknown, [step, ...rest]: JsonPath, change: (before: unknown) => unknown): unknown {
  if (step === undefined) return change(value)
  if (step.kind === 'name') {
    if (!isRecord(value)) return value
    const before = value[step.name]
    const after = changedAt(before, rest, change)
    if (after === before) return value
    const { [step.name]: _before, ...others } = value
    return after === removed ? others : { ...value, [step.name]: after }
  }
  if (!Array.isArray(value)) return value
  const list: readonly unknown[] = value
  const place = step.kind === 'place' && step.place < 0 ? list.length + step.place : null
  const after = list.map((element, index) =>
    isMeant(step, element, index, place) ? changedAt(element, rest, change) : element,
  )
  return after.every((element, index) => element === list[index]) ? value : after.filter((each) => each !== removed)
}

function isMeant(step: Exclude<Step, { kind: 'name' }>, element: unknown, index: number, fromEnd: number | null) {
  if (step.kind === 'every') return true
  if (step.kind === 'place') return index === (fromEnd ?? step.place)
  if (!isRecord(element)) return false
  const member = element[step.name]
  return (typeof member === 'string' ? member : JSON.stringify(member)) === step.value
}
