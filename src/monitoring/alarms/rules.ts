// Every alarm. docs/runbook.md has a page for each, under the same name and in the same order.
import type { Rule } from './rule.ts'
import { alarms } from './rules/alarms.ts'
import { custody } from './rules/custody.ts'
import { databaseFailing, dependencies } from './rules/dependencies.ts'
import { requests } from './rules/requests.ts'
import { syncs } from './rules/syncs.ts'
import { upkeep } from './rules/upkeep.ts'

export const rules: readonly Rule[] = [
  databaseFailing,
  ...requests,
  ...dependencies,
  ...syncs,
  ...custody,
  ...upkeep,
  ...alarms,
]
