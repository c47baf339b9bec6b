// A login at a bank: one bank behind it, however often it is linked.
import type { Institution } from '../bank/institutions.ts'
import type { Bank } from '../bank/model.ts'
import type { Random } from '../bank/random.ts'
import type { Day } from '../bank/values.ts'

export interface Login {
  readonly institution: Institution
  /** The bank as the bank knows it: never on the wire, its ids belong to no item. */
  readonly bank: Bank
  /** Makes ids for what happens at the bank. */
  readonly ids: (kind: string) => string
  readonly random: Random
  /** The bank's life was played up to this day. */
  livedUntil: Day
}
