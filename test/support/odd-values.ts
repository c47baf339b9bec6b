// Puts every kind of odd value in every place of Plaid's responses. Such a value costs at most the row that contains
// it. Responses are changed as text, because some values cannot be written in JavaScript.
import { expect } from 'vitest'
import type * as z from 'zod'
import { parseExactJson } from '../../src/exact-json.ts'
import * as linkSchemas from '../../src/plaid/link-schemas.ts'
import * as schemas from '../../src/plaid/schemas.ts'

type Step = string | number
type Place = readonly Step[]

/** Stands for "removed" among the values. */
const absent = Symbol('absent')
const raw = (json: string) => ({ json })

const oddValues: readonly (readonly [string, unknown])[] = [
  ['absent', absent],
  ['null', null],
  ['empty text', ''],
  ['blank text', ' \t '],
  ['a number', 7],
  ['true', true],
  ['false', false],
  ['a text', 'x'],
  ['an object', {}],
  ['a list', []],
  ['a list of lists', [[null], {}, 'x']],
  ['an impossible day', '2026-02-30'],
  ['the year 0', '0000-01-01'],
  ['a day in words', 'yesterday'],
  ['a far time', '+275760-09-13T00:00:00Z'],
  ['NUL', '\0'],
  ['text with NUL', 'a\0b'],
  ['half a surrogate pair', '\ud800'],
  ['a number beyond any type', raw('1e999999')],
  ['a number close to 0', raw('-1e-999999')],
  ['5,000 digits', raw('9'.repeat(5000))],
  ['3,000 characters', 'é'.repeat(3000)],
  ['5,000 levels', raw(`${'['.repeat(5000)}${']'.repeat(5000)}`)],
]

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every member and element at every depth: leaves, objects and lists. */
function* placesIn(value: unknown, at: Place = []): Generator<Place> {
  if (at.length > 0) yield at
  if (Array.isArray(value)) for (const [index, inner] of value.entries()) yield* placesIn(inner, [...at, index])
  else if (isObject(value)) for (const [key, inner] of Object.entries(value)) yield* placesIn(inner, [...at, key])
}

function changedAt(value: unknown, [step, ...rest]: Place, odd: unknown): unknown {
  if (step === undefined) return odd
  if (Array.isArray(value))
    return value.flatMap((inner: unknown, index) => {
      if (index !== step) return [inner]
      const changed = changedAt(inner, rest, odd)
      return changed === absent ? [] : [changed]
    })
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      if (key !== step) return [[key, inner]]
      const changed = changedAt(inner, rest, odd)
      return changed === absent ? [] : [[key, changed]]
    }),
  )
}

const mark = '@raw@'
const textOf = (answer: unknown, place: Place, odd: unknown): string =>
  isObject(odd) && typeof odd['json'] === 'string'
    ? JSON.stringify(changedAt(answer, place, mark)).replace(`"${mark}"`, odd['json'])
    : JSON.stringify(changedAt(answer, place, odd))

interface Read {
  readonly path: string
  readonly schema: z.ZodType
  /** The paths of its lists of rows. */
  readonly lists: readonly string[]
  /** Places without which the whole response is refused. Does not include what is inside them. */
  readonly needed: readonly string[]
  /** Whether an odd response reaches the caller: src/webhooks/keys/cache.ts checks keys itself. */
  readonly isPassedOn?: boolean
}

/** Every response that the Worker reads, by its endpoint. */
export const reads: readonly Read[] = [
  { path: '/accounts/get', schema: schemas.accountsGet, lists: ['accounts'], needed: ['accounts'] },
  {
    path: '/transactions/sync',
    schema: schemas.transactionsSync,
    lists: ['accounts', 'added', 'modified', 'removed'],
    needed: ['added', 'modified', 'removed', 'next_cursor', 'has_more'],
  },
  {
    path: '/transactions/recurring/get',
    schema: schemas.recurringGet,
    lists: ['inflow_streams', 'outflow_streams'],
    needed: [],
  },
  {
    path: '/investments/holdings/get',
    schema: schemas.holdingsGet,
    lists: ['accounts', 'holdings', 'securities'],
    needed: ['holdings'],
  },
  {
    path: '/investments/transactions/get',
    schema: schemas.investmentTransactionsGet,
    lists: ['accounts', 'investment_transactions', 'securities'],
    needed: ['investment_transactions'],
  },
  {
    path: '/liabilities/get',
    schema: schemas.liabilitiesGet,
    lists: ['accounts', 'liabilities.credit', 'liabilities.mortgage', 'liabilities.student'],
    needed: ['liabilities'],
  },
  { path: '/item/get', schema: linkSchemas.itemGet, lists: [], needed: ['item', 'item.item_id'] },
  { path: '/link/token/get', schema: linkSchemas.linkTokenGet, lists: ['link_sessions'], needed: [] },
  { path: '/link/token/create', schema: linkSchemas.linkTokenCreate, lists: [], needed: ['link_token'] },
  { path: '/user/create', schema: linkSchemas.userCreate, lists: [], needed: ['user_id'] },
  { path: '/user/items/get', schema: linkSchemas.userItemsGet, lists: ['items'], needed: ['items'] },
  {
    path: '/item/public_token/exchange',
    schema: linkSchemas.publicTokenExchange,
    lists: [],
    needed: ['access_token', 'item_id'],
  },
  {
    path: '/item/access_token/invalidate',
    schema: linkSchemas.accessTokenInvalidate,
    lists: [],
    needed: ['new_access_token'],
  },
  {
    path: '/webhook_verification_key/get',
    schema: linkSchemas.verificationKey,
    lists: [],
    needed: ['key'],
    isPassedOn: true,
  },
]

function rowsAt(value: unknown, list: string): readonly unknown[] {
  let found = value
  for (const step of list.split('.')) found = isObject(found) ? found[step] : undefined
  return Array.isArray(found) ? found : []
}

const without = (rows: readonly unknown[], index: number) => rows.filter((_, at) => at !== index)

/** What is wrong with `read`, which was parsed after one place of `before` became odd; null when nothing is. */
function damage(read: unknown, before: unknown, list: string, place: Place): string | null {
  const steps = list.split('.')
  const [rows, were] = [rowsAt(read, list), rowsAt(before, list)]
  const isInside = steps.every((step, index) => place[index] === step)
  // The list itself, or the object that it is in, is odd.
  if (place.length <= steps.length && place.every((step, index) => steps[index] === step)) return null
  const index = isInside ? Number(place[steps.length]) : -1
  const same = JSON.stringify(rows.length === were.length ? without(rows, index) : rows)
  if (rows.length < were.length - (isInside ? 1 : 0)) return `${list} lost its neighbours`
  return same === JSON.stringify(without(were, index)) ? null : `${list} changed its neighbours`
}

/** The parsed value without its nulls. */
const meaning = (read: unknown): string =>
  JSON.stringify(read, (key, value: unknown) => (value === null || key === 'set_aside' ? undefined : value))

/** Values of a member that all mean that it has none. */
const nothing: readonly unknown[] = [absent, null, '', ' \t ']

const setAsideIn = (read: unknown): number => rowsAt(read, 'set_aside').length

/**
 * Fails when a single odd value in the response costs more than its own row, or when a row disappears without being set
 * aside. Returns the number of changes that were tried.
 */
export function expectRowsAlone({ schema, lists, needed, isPassedOn }: Read, answer: unknown): number {
  const whole = schema.safeParse(parseExactJson(JSON.stringify(answer)))
  expect(whole.error?.issues ?? []).toEqual([])
  expect(setAsideIn(whole.data)).toBe(0)
  const faults: string[] = []
  let tried = 0
  for (const place of placesIn(answer)) {
    const meanings = nothing.map((odd) => meaning(schema.safeParse(parseExactJson(textOf(answer, place, odd))).data))
    const isMember = typeof place.at(-1) === 'string' && !lists.includes(place.join('.'))
    if (isMember && !isPassedOn && !needed.includes(place.join('.')) && new Set(meanings).size > 1)
      faults.push(`${place.join('.')}: absent, null and blank differ`)
    for (const [name, odd] of oddValues) {
      const at = `${place.join('.')} = ${name}`
      const read = schema.safeParse(parseExactJson(textOf(answer, place, odd)))
      tried += 1
      if (!read.success) {
        if (!needed.includes(place.join('.'))) faults.push(`${at}: refused`)
        continue
      }
      for (const list of lists) {
        const fault = damage(read.data, whole.data, list, place)
        if (fault !== null) faults.push(`${at}: ${fault}`)
      }
      const isSetAside = isObject(read.data) && 'set_aside' in read.data
      const lost = lists.reduce(
        (sum, list) => sum + rowsAt(whole.data, list).length - rowsAt(read.data, list).length,
        0,
      )
      const isRow = lists.some((list) => place.join('.').startsWith(`${list}.`))
      const isTakenOut = odd === absent && typeof place.at(-1) === 'number'
      if (isSetAside && isRow && !isTakenOut && setAsideIn(read.data) !== lost)
        faults.push(`${at}: lost without a trace`)
    }
  }
  expect(faults.slice(0, 20)).toEqual([])
  return tried
}
