// Decides which requests to a database fail. The endpoint decides what the failure does.
import type { InterceptedRequest, Interception } from '../../src/dev/neon-local/server.ts'
import type { Fault } from './stack.ts'

export interface Faults {
  add(database: string, fault: Fault): void
  clear(database: string): void
  intercept(request: InterceptedRequest): Interception
}

interface Pending {
  kind: Fault['kind']
  pattern: RegExp
  pass: number
  fail: number
}

export function createFaults(): Faults {
  const faults = new Map<string, Pending[]>()
  const applies = (pending: Pending, queries: string[]): boolean => {
    if (pending.fail === 0 || !queries.some((query) => pending.pattern.test(query))) return false
    if (pending.pass > 0) {
      pending.pass -= 1
      return false
    }
    pending.fail -= 1
    return true
  }
  return {
    add(database, { kind, matching = '', after = 0, times = 1 }) {
      const pending = { kind, pattern: new RegExp(matching, 'i'), pass: after, fail: times }
      faults.set(database, [...(faults.get(database) ?? []), pending])
    },
    clear: (database) => void faults.delete(database),
    intercept({ database, queries }) {
      return faults.get(database)?.find((pending) => applies(pending, queries))?.kind ?? 'pass'
    },
  }
}
