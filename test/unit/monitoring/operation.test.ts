import { expect, test } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { measured, observeOperations, type Operation } from '../../../src/monitoring/operation.ts'

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))
const call = (name: string, work: () => Promise<unknown> = () => pause(5)): Promise<unknown> =>
  measured({ kind: 'database', name }, work)

function collector() {
  const seen: Operation[] = []
  return { seen, observe: (operation: Operation) => void seen.push(operation) }
}

test('an operation has its name, its time and its outcome', async () => {
  const { seen, observe } = collector()
  const before = Date.now()
  await observeOperations([observe], () => call('select items', () => pause(20)))
  expect(seen).toEqual([
    {
      kind: 'database',
      name: 'select items',
      startedAtMs: expect.any(Number),
      durationMs: expect.any(Number),
      ok: true,
    },
  ])
  expect(seen[0]?.startedAtMs).toBeGreaterThanOrEqual(before)
  expect(seen[0]?.durationMs).toBeGreaterThanOrEqual(15)
})

test('an operation that fails has a code, and throws its error', async () => {
  const { seen, observe } = collector()
  const error = new AppError('internal', 'The database refused the operation.', { sqlState: '23505' })
  await expect(observeOperations([observe], () => call('x', () => Promise.reject(error)))).rejects.toBe(error)
  await expect(
    observeOperations([observe], () => call('x', () => Promise.reject(new TypeError('canary')))),
  ).rejects.toThrow('canary')
  expect(seen).toMatchObject([
    { ok: false, code: '23505' },
    { ok: false, code: 'TypeError' },
  ])
  expect(JSON.stringify(seen)).not.toContain('canary')
})

test('operations of two requests at once are reported to their own observers', async () => {
  const [first, second] = [collector(), collector()]
  const request = async (name: string): Promise<void> => {
    await call(`${name} 1`)
    await Promise.all([call(`${name} 2`), call(`${name} 3`)])
  }
  await Promise.all([
    observeOperations([first.observe], () => request('a')),
    observeOperations([second.observe], () => request('b')),
  ])
  expect(first.seen.map(({ name }) => name).sort()).toEqual(['a 1', 'a 2', 'a 3'])
  expect(second.seen.map(({ name }) => name).sort()).toEqual(['b 1', 'b 2', 'b 3'])
})

test('a message of a batch is observed by the batch too, and not by the next message', async () => {
  const [batch, message] = [collector(), collector()]
  await observeOperations([batch.observe], async () => {
    await observeOperations([message.observe], () => call('first'))
    await call('second')
  })
  expect(batch.seen.map(({ name }) => name)).toEqual(['first', 'second'])
  expect(message.seen.map(({ name }) => name)).toEqual(['first'])
})

test('an observer that throws makes no operation fail', async () => {
  const { seen, observe } = collector()
  const fail = (): never => {
    throw new Error('an observer')
  }
  await observeOperations([fail, observe], () => call('select items'))
  expect(seen).toHaveLength(1)
})

test('an operation without observers only runs', async () => {
  expect(await call('select items', () => Promise.resolve(7))).toBe(7)
})
