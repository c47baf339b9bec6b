// Parts of a cron that fail or hang.
import { describe, expect, it } from 'vitest'
import type { Ctx } from '../../../src/context.ts'
import { type Part, runParts } from '../../../src/cron/run-parts.ts'
import { createLogger } from '../../../src/monitoring/logger.ts'

/** A context with only a log, and the lines that were logged. */
function logged(): { ctx: Ctx; lines: () => unknown[] } {
  const lines: string[] = []
  const ctx: Ctx = {
    get services(): never {
      throw new Error('not used here')
    },
    actor: { kind: 'cron', name: 'sweep' },
    requestId: 'request',
    now: () => new Date(),
    log: createLogger({}, { sink: (line) => lines.push(line) }),
  }
  return { ctx, lines: () => lines.map((line) => JSON.parse(line) as unknown) }
}

const part = (name: string, run: Part['run'], budgetMs = 5000): Part => ({ name, budgetMs, run })

describe('the parts of a cron', () => {
  it('run one after the other', async () => {
    const order: string[] = []
    const slow = async () => {
      order.push('first begins')
      await Promise.resolve()
      order.push('first ends')
    }
    await runParts(logged().ctx, [part('first', slow), part('second', () => Promise.resolve(order.push('second')))])
    expect(order).toEqual(['first begins', 'first ends', 'second'])
  })

  it('include the next one when one hangs', async () => {
    const { ctx, lines } = logged()
    let ran = false
    const parts = [
      part('hangs', () => new Promise(() => undefined), 20),
      part('next', () => Promise.resolve((ran = true))),
    ]
    await expect(runParts(ctx, parts)).rejects.toThrow('1 of 2 parts failed')
    expect(ran).toBe(true)
    expect(lines()).toMatchObject([{ event: 'cron_part_failed', job: 'hangs' }])
  })

  it('log an error that comes after the budget, and after all other parts', async () => {
    const { ctx, lines } = logged()
    const { promise, reject } = Promise.withResolvers<never>()
    await expect(runParts(ctx, [part('late', () => promise, 20)])).rejects.toThrow('1 of 1 parts failed')
    expect(lines()).toMatchObject([{ job: 'late', error: { message: 'no end within 20 ms' } }])
    reject(new TypeError('the database was gone'))
    await expect.poll(() => lines().length).toBe(2)
    expect(lines()[1]).toMatchObject({ event: 'cron_part_failed', job: 'late', error: { name: 'TypeError' } })
  })

  it('log both errors when both fail', async () => {
    const { ctx, lines } = logged()
    const failing = (text: string) => part(text, () => Promise.reject(new TypeError(`${text} failed`)))
    await expect(runParts(ctx, [failing('sweep'), failing('reconcile')])).rejects.toThrow('2 of 2 parts failed')
    expect(lines()).toMatchObject([
      { event: 'cron_part_failed', job: 'sweep' },
      { event: 'cron_part_failed', job: 'reconcile' },
    ])
  })
})
