// Whether anything was lost: every accepted webhook is a row, nothing waits to be read, and what is stored is what the bank
// has.
import * as z from 'zod'
import type { LocalStack } from './local-stack.ts'
import { type Member, productsBehind, whenIdle } from './population.ts'
import type { Finding } from './traffic.ts'

export interface Counted {
  /** Deliveries that were answered with 2xx. */
  readonly accepted: number
  /** Deliveries that were sent. */
  readonly sent: number
}

const countSchema = z.tuple([z.object({ n: z.number() })])

export async function eventsStored({ owner }: LocalStack): Promise<number> {
  const { rows } = await owner.query('select count(*)::int as n from webhook_events')
  return countSchema.parse(rows)[0].n
}

const sweepCron = '2-57/5 * * * *'
const mostSweeps = 3

/** Sweeps until nothing waits. The sweep is what recovers lost messages, so how often it was needed is a result. */
async function settle(stack: LocalStack, signal: AbortSignal): Promise<{ behind: number; sweeps: number }> {
  await whenIdle(stack, signal)
  let behind = await productsBehind(stack)
  let sweeps = 0
  while (behind > 0 && sweeps < mostSweeps) {
    sweeps += 1
    await stack.worker.fireCron(sweepCron)
    await whenIdle(stack, signal)
    behind = await productsBehind(stack)
  }
  return { behind, sweeps }
}

const truthSchema = z.object({
  transactions: z.array(
    z.object({
      transaction_id: z.string(),
      date: z.string(),
      name: z.string(),
      amount: z.number(),
      pending: z.boolean(),
    }),
  ),
})
const rowSchema = truthSchema.shape.transactions

const storedQuery = `select plaid_transaction_id as transaction_id, date::text, name, amount::float8 as amount, pending
  from transactions where item_id = $1 and removed_at is null`

/** How many transactions differ between an item and its bank, missing and superfluous ones included. */
async function differences({ owner, bank }: LocalStack, { itemId, plaidItemId }: Member): Promise<number> {
  const response = await fetch(`${bank.url}/simulator/truth?item_id=${plaidItemId}`)
  const { transactions } = truthSchema.parse(await response.json())
  const { rows } = await owner.query(storedQuery, [itemId])
  const lineOf = (row: z.output<typeof rowSchema>[number]): string =>
    JSON.stringify([row.transaction_id, row.date, row.name, row.amount, row.pending])
  return countDifferences(transactions.map(lineOf), rowSchema.parse(rows).map(lineOf))
}

export function countDifferences(one: readonly string[], other: readonly string[]): number {
  return new Set(one).symmetricDifference(new Set(other)).size
}

/** Judges a phase of webhooks that began when `eventsBefore` rows were stored. */
export async function judgeBooks(
  stack: LocalStack,
  members: readonly Member[],
  { accepted, sent }: Counted,
  eventsBefore: number,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { behind, sweeps } = await settle(stack, signal)
  const events = (await eventsStored(stack)) - eventsBefore
  let different = 0
  for (const member of members) different += await differences(stack, member)
  const dead = stack.queue.deadLetters().length
  return [
    {
      name: 'rows of accepted webhooks',
      value: events,
      against: accepted,
      unit: 'rows',
      target: 'all, and none twice',
      ok: accepted > 0 && events >= accepted && events <= sent,
    },
    {
      name: 'products that wait to be read, once the queue is empty',
      value: behind,
      unit: '',
      target: '0',
      ok: behind === 0,
    },
    { name: 'sweeps that this needed', value: sweeps, unit: '' },
    { name: 'messages that failed for good', value: dead, unit: '', target: '0', ok: dead === 0 },
    { name: 'transactions that differ from the bank', value: different, unit: '', target: '0', ok: different === 0 },
  ]
}
