// A login at a bank. It has one bank; several items can use it.
import type { Institution } from '../bank/institutions.ts'
import type { Bank } from '../bank/model.ts'
import type { Random } from '../bank/random.ts'
import type { Day } from '../bank/values.ts'

export interface Login {
  readonly institution: Institution
  /** The bank with its internal ids, which no response contains. */
  readonly bank: Bank
  /** Makes ids for what happens at the bank. */
  readonly ids: (kind: string) => string
  readonly random: Random
  /** The bank has been played up to this day. */
  playedUntil: Day
}
