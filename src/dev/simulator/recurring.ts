// Finds what comes and goes regularly in a history. A rough detector: gaps that hardly differ make a stream.

import { addDays, daysBetween } from './bank/calendar.ts'
import type { Day, RawNumber, Transaction } from './bank/model.ts'
import { addExact, compareExact, exact, multiplyExact, roundExact } from './bank/number.ts'
import { seededIds } from './ids.ts'

export interface Rhythm {
  frequency: 'WEEKLY' | 'BIWEEKLY' | 'SEMI_MONTHLY' | 'MONTHLY' | 'ANNUALLY'
  days: number
}

const fewest = 3

/** Streams in Plaid's shape, money in and money out apart, in the order in which they began. */
export function recurringStreams(transactions: readonly Transaction[], today: Day) {
  const posted = transactions.filter(({ pending }) => !pending).toSorted((a, b) => (a.date < b.date ? -1 : 1))
  const groups = Map.groupBy(posted, streamKey)
  const streams = [...groups].flatMap(([key, members]) => {
    const rhythm = rhythmOf(members.map(({ date }) => date))
    return rhythm === null ? [] : [streamView(key, members, rhythm, today)]
  })
  const comesIn = ({ last_amount }: { last_amount: { amount: RawNumber } }): boolean =>
    compareExact(last_amount.amount, exact('0')) < 0
  return {
    inflow_streams: streams.filter(comesIn),
    outflow_streams: streams.filter((stream) => !comesIn(stream)),
  }
}

function streamKey({ account_id, merchant_name, name, amount, iso_currency_code }: Transaction): string {
  const direction = compareExact(amount, exact('0')) < 0 ? 'in' : 'out'
  return JSON.stringify([account_id, merchant_name ?? name, direction, iso_currency_code])
}

/** The rhythm of sorted days, or null where the gaps differ too much. */
function rhythmOf(days: readonly Day[]): Rhythm | null {
  if (days.length < fewest) return null
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
    status: active ? 'MATURE' : 'TOMBSTONED',
    personal_finance_category: last.personal_finance_category,
    is_user_modified: false,
  }
}

/** To the cent: an average has no exact decimal of its own. */
function average(amounts: readonly RawNumber[]): RawNumber {
  const sum = amounts.reduce((total, amount) => addExact(total, amount), exact('0'))
  return roundExact(multiplyExact(sum, exact((1 / amounts.length).toFixed(15))), 2)
}
