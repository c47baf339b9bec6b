// What a step of the model changes besides transactions: positions, investment transactions and liabilities.
import type { TrueItem } from './banks.ts'

export type Trade = 'buy' | 'sell' | 'sell all' | 'cancel'

export interface PortfolioStep {
  readonly trade: Trade | null
  /** Whether the user pays what an account owes. */
  readonly pays: boolean
}

/**
 * The control's members for the step, without those that are not possible at this bank. `unique` makes a different
 * amount each time. Quantities are multiples of 0.25.
 */
export function portfolioChange(item: TrueItem, { trade, pays }: PortfolioStep, unique: number): object {
  const { credit, student } = item.liabilities
  const [owing] = [...credit, ...student]
  return {
    ...(trade === null ? {} : tradeIn(item, trade, unique)),
    ...(pays && owing !== undefined
      ? { liability_payment: [{ account_id: owing.account_id, last_payment_amount: unique + 0.25 }] }
      : {}),
  }
}

function tradeIn(item: TrueItem, trade: Trade, unique: number): object {
  const [position] = item.holdings
  const [security] = item.securities
  const brokerage = item.accounts.find(({ type }) => type === 'investment')
  if (trade === 'cancel') {
    const [oldest] = item.investment_transactions
    return oldest === undefined ? {} : { cancel_trade: [oldest.investment_transaction_id] }
  }
  if (brokerage === undefined || security === undefined || (trade !== 'buy' && position === undefined)) return {}
  const quantity = trade === 'buy' ? 1.25 : trade === 'sell' ? -0.25 : -Number(position?.quantity)
  return {
    trade: [
      {
        account_id: brokerage.account_id,
        // A security that was sold is bought again, if it is the first one.
        security_id: trade === 'buy' ? security.security_id : position?.security_id,
        quantity,
        price: unique + 0.125,
        name: `trade ${unique}`,
      },
    ],
  }
}
