// Which exchanges of public tokens have not ended: the one condition of claims, metrics and lists.
import { sql } from 'drizzle-orm'

export const openStates = ['started', 'exchanged'] as const
/** As the condition of the indexes. */
export const isOpen = sql.raw(`state in (${openStates.map((state) => `'${state}'`).join(', ')})`)
