// Finds recurring streams in a history. A simple detector: transactions at nearly equal intervals form a stream.
import { addDays, daysBetween } from '../bank/calendar.ts'
import type { Transaction } from '../bank/model.ts'
import { addExact, compareExact, decimalsOf, divideExact, exact } from '../bank/number.ts'
import type { Day, RawNumber } from '../bank/values.ts'
import { seededIds } from '../lib/ids.ts'

export interface Rhythm {
  frequency: 'WEEKLY' | 'BIWEEKLY' | 'SEMI_MONTHLY' | 'MONTHLY' | 'ANNUALLY'
  days: number
}

export type Stream = ReturnType<typeof streamView>

export interface Streams {
  inflow_streams: Stream[]
  outflow_streams: Stream[]
}

type Status = 'MATURE' | 'EARLY_DETECTION' | 'TOMBSTONED'

/** How many transactions make a stream mature (Plaid, `TransactionStreamStatus`). */
const matureAt = 3

/** Streams in Plaid's shape, inflows and outflows separately, in the order in which they began. */
export function recurringStreams(transactions: readonly Transaction[], today: Day): Streams {
  const posted = transactions.filter(({ pending }) => !pending).toSorted(byDateThenId)
  const groups = Map.groupBy(posted, streamKey)
  const streams = [...groups].flatMap(([key, members]) => {
    const rhythm = rhythmOf(members)
    return rhythm === null ? [] : [streamView(key, members, rhythm, today)]
  })
  const comesIn = ({ last_amount }: Stream): boolean => compareExact(last_amount.amount, exact('0')) < 0
  return {
    inflow_streams: streams.filter(comesIn),
    outflow_streams: streams.filter((stream) => !comesIn(stream)),
  }
}

function byDateThenId(left: Transaction, right: Transaction): number {
  if (left.date !== right.date) return left.date < right.date ? -1 : 1
  return left.transaction_id < right.transaction_id ? -1 : Number(left.transaction_id > right.transaction_id)
}

function streamKey(transaction: Transaction): string {
  const { account_id, merchant_name, name, amount, iso_currency_code, unofficial_currency_code } = transaction
  const direction = compareExact(amount, exact('0')) < 0 ? 'in' : 'out'
  return JSON.stringify([account_id, merchant_name ?? name, direction, iso_currency_code ?? unofficial_currency_code])
}

/**
 * The frequency of sorted transactions, or null if the intervals differ too much. Two transactions must also have the
 * same amount.
 */
function rhythmOf(members: readonly Transaction[]): Rhythm | null {
  const [first, second] = members
  if (first === undefined || second === undefined) return null
  if (members.length < matureAt && compareExact(first.amount, second.amount) !== 0) return null
  const days = members.map(({ date }) => date)
  const gaps = days.slice(1).map((day, index) => daysBetween(days[index] ?? day, day))
  const middle = gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0
  if (gaps.some((gap) => Math.abs(gap - middle) > Math.max(3, middle * 0.15))) return null
  if (middle >= 6 && middle <= 8) return { frequency: 'WEEKLY', days: 7 }
  if (middle === 14 && gaps.every((gap) => gap === 14)) return { frequency: 'BIWEEKLY', days: 14 }
  if (middle >= 13 && middle <= 17) return { frequency: 'SEMI_MONTHLY', days: 15 }
  if (middle >= 26 && middle <= 35) return { frequency: 'MONTHLY', days: 30 }
  return middle >= 350 && middle <= 380 ? { frequency: 'ANNUALLY', days: 365 } : null
}

function streamView(key: string, members: readonly Transaction[], { frequency, days }: Rhythm, today: Day) {
  const first = members[0]
  const last = members.at(-1)
  if (first === undefined || last === undefined) throw new RangeError('a stream without members')
  const active = daysBetween(last.date, today) <= days * 1.5
  const mature = members.length >= (frequency === 'ANNUALLY' ? matureAt - 1 : matureAt)
  // A mature stream that ends stays mature and becomes inactive. One that ends before it is mature is tombstoned.
  const status: Status = mature ? 'MATURE' : active ? 'EARLY_DETECTION' : 'TOMBSTONED'
  const currency = {
    iso_currency_code: last.iso_currency_code,
    unofficial_currency_code: last.unofficial_currency_code,
  }
  return {
    account_id: last.account_id,
    stream_id: seededIds(key).next('stream'),
    category: null,
    category_id: null,
    description: last.name,
    merchant_name: last.merchant_name,
    first_date: first.date,
    last_date: last.date,
    predicted_next_date: active ? addDays(last.date, days) : null,
    frequency,
    transaction_ids: members.map(({ transaction_id }) => transaction_id),
    average_amount: { amount: average(members.map(({ amount }) => amount)), ...currency },
    last_amount: { amount: last.amount, ...currency },
    is_active: active,
    status,
    personal_finance_category: last.personal_finance_category,
    is_user_modified: false,
  }
}

/** Rounded to the most decimals of the amounts, at least two: an average can have infinitely many. */
function average(amounts: readonly RawNumber[]): RawNumber {
  const sum = amounts.reduce((total, amount) => addExact(total, amount), exact('0'))
  return divideExact(sum, amounts.length, Math.max(2, ...amounts.map(decimalsOf)))
}
