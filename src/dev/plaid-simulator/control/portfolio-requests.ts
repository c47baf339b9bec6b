// The members of a change at the bank that concern positions and liabilities.
import * as z from 'zod'
import { exactNumber } from '../lib/exact-json.ts'

const id = z.string().min(1)

/** A purchase, or a sale with a negative quantity, of a security that the bank knows. */
const trade = z.strictObject({
  account_id: id,
  security_id: id,
  quantity: exactNumber,
  price: exactNumber,
  fees: exactNumber.optional(),
  name: z.string().optional(),
})

/** The last payment of what an account owes. A generated bank computes it again when its day ends. */
const payment = z.strictObject({
  account_id: id,
  last_payment_amount: exactNumber.nullable(),
  last_payment_date: z.iso.date().nullable().optional(),
})

export const portfolioFields = {
  trade: z.array(trade).optional(),
  /** Investment transactions that Plaid no longer reports, by their ids. Positions stay. */
  cancel_trade: z.array(id).optional(),
  liability_payment: z.array(payment).optional(),
}

export type Trade = z.infer<typeof trade>
export type LiabilityPayment = z.infer<typeof payment>
