// Why each column is stored: `common` has the columns that mean the same in every table; `purposes` those of one table.
import { audit } from './purposes/audit.ts'
import { bankData } from './purposes/bank-data.ts'
import { operations } from './purposes/operations.ts'
import { people } from './purposes/people.ts'
import type { Purposes } from './purposes/purposes.ts'

export { common } from './purposes/common.ts'

export const purposes: Purposes = { ...bankData, ...people, ...operations, ...audit }
