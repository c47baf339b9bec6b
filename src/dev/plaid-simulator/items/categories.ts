// Plaid's two taxonomies of personal finance categories. Banks here use v2. A client from before December 2025 gets v1
// unless it requests v2; a later client always gets v2.
import type { Transaction } from '../bank/model.ts'
import type { World } from '../state/world.ts'

export type CategoryVersion = 'v1' | 'v2'
type Category = Transaction['personal_finance_category']

// The v1 names of detailed categories that only v2 has. All others are the same in both.
const olderNames = new Map([
  ['INCOME_SALARY', 'INCOME_WAGES'],
  ['INCOME_OTHER', 'INCOME_OTHER_INCOME'],
  ['INCOME_CHILD_SUPPORT', 'INCOME_OTHER_INCOME'],
  ['INCOME_GIG_ECONOMY', 'INCOME_OTHER_INCOME'],
  ['INCOME_LONG_TERM_DISABILITY', 'INCOME_OTHER_INCOME'],
  ['INCOME_MILITARY', 'INCOME_OTHER_INCOME'],
  ['INCOME_RENTAL', 'INCOME_OTHER_INCOME'],
  ['TRANSFER_IN_WIRE', 'TRANSFER_IN_ACCOUNT_TRANSFER'],
  ['TRANSFER_IN_TRANSFER_IN_FROM_APPS', 'TRANSFER_IN_ACCOUNT_TRANSFER'],
  ['TRANSFER_OUT_WIRE', 'TRANSFER_OUT_ACCOUNT_TRANSFER'],
  ['TRANSFER_OUT_CRYPTO', 'TRANSFER_OUT_ACCOUNT_TRANSFER'],
  ['TRANSFER_OUT_TRANSFER_OUT_FROM_APPS', 'TRANSFER_OUT_ACCOUNT_TRANSFER'],
  ['LOAN_PAYMENTS_BNPL', 'LOAN_PAYMENTS_OTHER_PAYMENT'],
  ['LOAN_PAYMENTS_CASH_ADVANCES', 'LOAN_PAYMENTS_OTHER_PAYMENT'],
  ['LOAN_PAYMENTS_EWA', 'LOAN_PAYMENTS_OTHER_PAYMENT'],
  ['BANK_FEES_CASH_ADVANCE', 'BANK_FEES_OTHER_BANK_FEES'],
  ['BANK_FEES_LATE_FEES', 'BANK_FEES_OTHER_BANK_FEES'],
  ['OTHER_OTHER', 'GENERAL_SERVICES_OTHER_GENERAL_SERVICES'],
])

/** The taxonomy version for a request. */
export function categoryVersionFor({ client }: World, wanted: CategoryVersion | undefined): CategoryVersion {
  return client.categoryVersion === 'v2' ? 'v2' : (wanted ?? 'v1')
}

/** The row with its category in this version; the same object if nothing changes. */
export function inVersion<Row extends { personal_finance_category: Category }>(
  row: Row,
  version: CategoryVersion,
): Row {
  const { personal_finance_category: category } = row
  if (version === 'v2' || category === null) return row
  return { ...row, personal_finance_category: olderCategory(category) }
}

function olderCategory(category: NonNullable<Category>): NonNullable<Category> {
  const { primary, detailed } = category
  if (primary === 'LOAN_DISBURSEMENTS') {
    return { ...category, primary: 'TRANSFER_IN', detailed: 'TRANSFER_IN_CASH_ADVANCES_AND_LOANS', version: 'v1' }
  }
  const older = olderNames.get(detailed) ?? detailed
  return { ...category, primary: primary === 'OTHER' ? 'GENERAL_SERVICES' : primary, detailed: older, version: 'v1' }
}
