// What the retention would delete now, and the time up to which it deletes.
import type { Ctx } from '../context.ts'
import { countLostItems, lostDays } from '../db/items/removal.ts'
import { absenceDays, countAbsent } from '../db/privacy/absence.ts'
import { countExpiredLogins } from '../db/identity/retention.ts'
import { countExpired } from '../db/records/retention.ts'
import { classesBy, type ClassName, dayBefore, daysOf, policy } from './policy.ts'

/** A class is not counted further than this. */
export const mostCounted = 1_000_000

export interface PlannedClass {
  readonly name: string
  readonly tables: readonly string[]
  readonly days: number | null
  /** Rows from before this time are deleted; null where each row names its own time. */
  readonly before: Date | null
  readonly due: number
}

/** Counts the due rows of every class that the purge deletes. */
export async function planRetention({
  services,
  now,
}: Pick<Ctx, 'services' | 'now'>): Promise<readonly PlannedClass[]> {
  const { jobs, config } = services
  const planned: PlannedClass[] = []
  const add = (name: ClassName, days: number | null, due: number): void => {
    planned.push({
      name,
      tables: policy[name].tables,
      days,
      before: days === null ? null : dayBefore(now(), days),
      due,
    })
  }
  for (const name of [...classesBy('history'), ...classesBy('feed'), ...classesBy('audit'), ...classesBy('rows')]) {
    const days = daysOf(name, config.retention)
    if (days !== null) add(name, days, await countExpired(jobs, { name, days }, mostCounted))
  }
  for (const name of classesBy('absence')) add(name, absenceDays, await countAbsent(jobs, mostCounted))
  for (const name of classesBy('removal')) add(name, lostDays, await countLostItems(jobs, mostCounted))
  if (services.identity === null) return planned
  const { database } = await services.identity()
  const due = new Map((await countExpiredLogins(database, mostCounted)).map(({ name, count }) => [name, count]))
  for (const name of classesBy('expiry')) add(name, null, due.get(name) ?? 0)
  return planned
}
