// What one day brings to a household, read like a table of contents. It says what happens; life.ts books it.
import type { DayAhead, Happening } from './happening.ts'
import { interest, moneyMoves } from './own-accounts.ts'
import { purchases, refund } from './purchases.ts'
import { bills, cash, check, elsewhere, salary } from './regular.ts'

/** Everything that happens on the day, in the order in which the bank hears of it. */
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
