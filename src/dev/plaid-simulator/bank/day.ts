// What happens to a household on one day. Only decides; play-days.ts enters it into the books.
import type { HouseholdDay, DayEvent } from './day-event.ts'
import { interest, transfersAndPayments } from './own-accounts.ts'
import { purchases, refund } from './purchases.ts'
import { bills, cash, check, foreignAccounts, salary } from './regular.ts'

/** Everything that happens on the day, in the order in which the bank books it. */
export function dayEvents(ahead: HouseholdDay): DayEvent[] {
  return [
    ...salary(ahead),
    ...bills(ahead),
    ...transfersAndPayments(ahead),
    ...interest(ahead),
    ...purchases(ahead),
    ...refund(ahead),
    ...cash(ahead),
    ...check(ahead),
    ...foreignAccounts(ahead),
  ]
}
