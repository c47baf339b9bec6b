import { type OperationTexts, page, paged, sample } from './text.ts'

const security = {
  id: sample.row,
  plaid_security_id: 'example-plaid-security-id',
  name: 'Example Index Fund',
  ticker_symbol: 'EXMPL',
  type: 'etf',
  is_cash_equivalent: false,
  close_price: '42.15',
  close_price_as_of: '2026-02-27',
}
const window = { from: '2026-02-01', to: '2026-03-02' }

/** The texts of investments, liabilities and insights. */
export const moneyTexts: OperationTexts = {
  listHoldings: {
    description: `Returns the current holdings by account. ${paged}`,
    responses: { 200: 'A page of holdings.' },
    example: {
      response: page({
        id: sample.run,
        account_id: sample.account,
        security,
        quantity: '10.5',
        institution_price: '42.15',
        institution_price_as_of: '2026-02-27',
        institution_value: '442.575',
        cost_basis: '400',
        currency: 'USD',
      }),
    },
  },
  listInvestmentTransactions: {
    description: `Returns the investment transactions that match all given filters, newest first. ${paged}`,
    responses: { 200: 'A page of investment transactions.' },
    example: {
      response: page({
        id: sample.transaction,
        plaid_investment_transaction_id: 'example-plaid-investment-transaction-id',
        account_id: sample.account,
        security,
        date: '2026-02-27',
        name: 'BUY Example Index Fund',
        quantity: '2',
        amount: '84.3',
        price: '42.15',
        fees: '0',
        type: 'buy',
        subtype: 'buy',
        currency: 'USD',
      }),
    },
  },
  listLiabilities: {
    description: `Returns the liabilities by account: credit cards, mortgages and student loans. ${paged}`,
    responses: { 200: 'A page of liabilities.' },
    example: {
      response: page({
        id: sample.row,
        account_id: sample.account,
        kind: 'credit',
        details: {
          last_statement_balance: '1708.77',
          minimum_payment_amount: '20',
          next_payment_due_date: '2026-03-28',
        },
      }),
    },
  },
  netWorth: {
    description:
      'Returns assets and liabilities by day and currency. The default window is the last 30 days; the maximum is 731 days.',
    responses: { 200: 'The net worth of each day.' },
    example: {
      response: {
        ...window,
        data: [
          {
            date: '2026-03-02',
            currency: 'USD',
            estimated: false,
            accounts: 2,
            assets: '5320.5',
            liabilities: '410',
            net: '4910.5',
          },
        ],
        left_out: [{ account_id: sample.otherAccount, reason: 'no_balance' }],
      },
    },
  },
  cashFlow: {
    description:
      'Returns inflows and outflows by interval and currency. Transfers between accounts of the user do not ' +
      'count. The default window is 12 months, 12 weeks or 30 days, by `interval`; the maximum is 731 days.',
    responses: { 200: 'The cash flow of each interval with movements.' },
    example: {
      response: {
        ...window,
        data: [
          {
            start: '2026-02-01',
            end: '2026-02-28',
            currency: 'USD',
            inflow: '4200',
            outflow: '3180.25',
            net: '1019.75',
          },
        ],
      },
    },
  },
  spending: {
    description:
      'Returns spending by currency and category. The default window is the last 30 days; the maximum is 731 days.',
    responses: { 200: 'The spending in each category.' },
    example: {
      response: {
        ...window,
        data: [{ currency: 'USD', category: 'FOOD_AND_DRINK', total: '312.4', returned: '15', count: 21 }],
      },
    },
  },
}
