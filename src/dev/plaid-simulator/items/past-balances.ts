// The balances at the end of each day in the bank's books: forward from the opening balance of each account, by the days
// on which its transactions posted.
import { addDays, daysAfter } from '../bank/calendar.ts'
import { sameCurrency } from '../bank/booking.ts'
import type { Account, Bank } from '../bank/model.ts'
import { addExact, subtractExact } from '../bank/number.ts'
import type { Day, RawNumber } from '../bank/values.ts'
import type { Item } from '../state/item.ts'
import type { World } from '../state/world.ts'

interface DayBalance {
  readonly date: Day
  readonly current: RawNumber
}

/** Of the accounts that the item shares, except investments; from the first posted transaction until today. */
export function pastBalances(world: World, item: Item) {
  const { bank } = item.login
  const today = world.clock.today()
  const accounts = bank.accounts.filter(({ account_id, type }) => item.bank.shares(account_id) && type !== 'investment')
  return {
    item_id: item.itemId,
    accounts: accounts.map((account) => ({
      account_id: item.bank.fromBank(account.account_id),
      type: account.type,
      days: daysOf(bank, account, today),
    })),
  }
}

function daysOf(bank: Bank, { account_id, type, balances }: Account, today: Day): DayBalance[] {
  const opening = bank.backOffice.openings.get(account_id)
  const posted = bank.transactions.filter((row) => row.account_id === account_id && !row.pending)
  const [first] = posted
  if (opening === undefined || first === undefined) return []
  const move = type === 'credit' || type === 'loan' ? addExact : subtractExact
  let current = opening
  return daysAfter(addDays(first.date, -1), today).map((date) => {
    for (const row of posted) if (row.date === date && sameCurrency(row, balances)) current = move(current, row.amount)
    return { date, current }
  })
}
