// The isolate's side of the metrics' Durable Object: one for a deployment.
import { withTimeout } from '../../timeout.ts'
import type { Book, BookStore } from '../alarms/book.ts'
import type { MetricsStore, Point, Series, Total } from './types.ts'

interface MonitorStub {
  add(call: { readonly id: string; readonly points: readonly Point[] }): Promise<void>
  read(since: { readonly sinceMs: number; readonly names?: readonly string[] }): Promise<readonly Series[]>
  totals(of: { readonly names?: readonly string[] }): Promise<readonly Total[]>
  readAlarms(): Promise<unknown>
  saveAlarms(call: { readonly version: number; readonly book: Book }): Promise<boolean>
}

/** The part of the Durable Objects' namespace that is used. */
export interface MonitorObjects {
  getByName(name: string): MonitorStub
}

/** The name of the object. */
export const monitorName = 'metrics'
const timeoutMs = 5000

export function createMetricsStore(objects: MonitorObjects, newId: () => string): MetricsStore & BookStore {
  const bounded = <Answer>(ask: (stub: MonitorStub) => Promise<Answer>): Promise<Answer> =>
    withTimeout(timeoutMs, ask(objects.getByName(monitorName)))
  return {
    add: async (points, id = newId()) => await bounded(async (stub) => await stub.add({ id, points })),
    read: async (since) => await bounded(async (stub) => await stub.read(since)),
    readAlarms: async () => await bounded(async (stub) => await stub.readAlarms()),
    saveAlarms: async (version, book) => await bounded(async (stub) => await stub.saveAlarms({ version, book })),
    totals: async (of = {}) => await bounded(async (stub) => await stub.totals(of)),
  }
}
