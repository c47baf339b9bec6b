// What happens to a household on one day. Only decides; play-days.ts enters it into the books.
import type { DayAhead, Happening } from './happening.ts'
import { interest, moneyMoves } from './own-accounts.ts'
import { purchases, refund } from './purchases.ts'
import { bills, cash, check, elsewhere, salary } from './regular.ts'

/** Everything that happens on the day, in the order in which the bank books it. */
export function happenings(ahead: DayAhead): Happening[] {
  return [
    ...salary(ahead),
    ...bills(ahead),
    ...moneyMoves(ahead),
    ...interest(ahead),
    ...purchases(ahead),
    ...refund(ahead),
    ...cash(ahead),
    ...check(ahead),
    ...elsewhere(ahead),
  ]
}
