// The income of a custom user's `inflow_model`: one posting a month, in the history and as days pass.
import { addDays, daysAfter } from './calendar.ts'
import type { CustomAccount } from './custom-user.ts'
import { isDayOfMonth } from './day-event.ts'
import { longestHistoryDays } from './history-days.ts'
import type { Account, Bank, Inflow, Transaction } from './model.ts'
import { negateExact } from './number.ts'
import { type Draft, transactionOf } from './posting.ts'
import type { Day, Ids } from './values.ts'

/**
 * Registers the account's monthly income and returns the postings until today. Supports Plaid's `monthly-income` model.
 * The models that pay off a liability are accepted and have no effect.
 */
export function inflowsOf(bank: Bank, custom: CustomAccount, account: Account, today: Day, ids: Ids): Transaction[] {
  const inflow = inflowFrom(custom, account)
  if (inflow === null) return []
  bank.backOffice.inflows.push(inflow)
  return daysAfter(addDays(today, -longestHistoryDays), today)
    .filter((day) => isDayOfMonth(day, inflow.dayOfMonth))
    .map((day) => transactionOf(incomeOn(inflow, account, day), { id: ids('transaction'), pending: false, date: day }))
}

/** The income as a posting of that day. */
export function incomeOn({ amount, name }: Inflow, account: Account, day: Day): Draft {
  return { account, amount, day, statement: name, category: 'INCOME_OTHER' }
}

function inflowFrom({ inflow_model: model }: CustomAccount, { account_id }: Account): Inflow | null {
  if (model == null || model.type !== 'monthly-income' || model.income_amount == null) return null
  const payday = model.payment_day_of_month ?? 'last'
  return {
    accountId: account_id,
    amount: negateExact(model.income_amount),
    name: model.transaction_name ?? 'INCOME',
    dayOfMonth: payday === 'last' ? 31 : Number(payday.rawJSON),
  }
}
