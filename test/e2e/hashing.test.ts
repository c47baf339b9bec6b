// Password hashes share one isolate with other requests. While many users sign in, other requests get responses in
// between.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Edge, startEdge } from '../support/edge.ts'

let edge: Edge
beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge.stop())

const signIns = 24

async function timed(work: () => Promise<{ readonly status: number }>): Promise<{ status: number; ms: number }> {
  const startedAt = performance.now()
  const { status } = await work()
  return { status, ms: performance.now() - startedAt }
}

const signIn = (index: number) =>
  timed(() =>
    edge.call('POST', '/api/v1/auth/login', {
      body: { email: `nobody-${index}@example.com`, password: 'not the password at all' },
    }),
  )

test('a request waits for two hashes at most while twenty-four people sign in at once', async () => {
  // The first sign-in also loads modules.
  await signIn(0)
  const over: boolean[] = []
  const burst = timed(async () => {
    const answers = await Promise.all(Array.from({ length: signIns }, (_, index) => signIn(index)))
    over.push(true)
    expect(answers.map(({ status }) => status)).toEqual(Array(signIns).fill(401))
    return { status: 401 }
  })
  const waited: number[] = []
  while (over.length === 0) waited.push((await timed(() => edge.call('GET', '/health'))).ms)
  const hashMs = (await burst).ms / signIns
  const inOrder = waited.toSorted((left, right) => left - right)
  // Compares the median, because the machine may be busy for a moment. The slowest request waited for a few hashes, not
  // for all.
  expect(inOrder[Math.floor(inOrder.length / 2)]).toBeLessThan(2 * hashMs)
  expect(inOrder.at(-1)).toBeLessThan((signIns / 3) * hashMs)
})
