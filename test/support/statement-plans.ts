// How PostgreSQL executes the statements of a function: each is sent once by the driver, and explained here.
import { neonConfig } from '@neondatabase/serverless'
import type { Client } from 'pg'
import * as z from 'zod'

const batchSchema = z.object({ queries: z.array(z.object({ query: z.string(), params: z.array(z.unknown()) })) })
type Queries = z.infer<typeof batchSchema>['queries']

/** The statements that `ask` sends, in order. */
export async function statementsOf(ask: () => Promise<unknown>): Promise<Queries> {
  const sent: Queries = []
  const before = neonConfig.fetchFunction
  neonConfig.fetchFunction = async (url: string, init: RequestInit) => {
    sent.push(...batchSchema.parse(JSON.parse(z.string().parse(init.body))).queries)
    return await fetch(url, init)
  }
  try {
    await ask()
  } finally {
    neonConfig.fetchFunction = before
  }
  return sent
}

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string | undefined
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number | undefined
  Plans?: PlanNode[] | undefined
}
const planNode: z.ZodType<PlanNode> = z.object({
  'Node Type': z.string(),
  'Relation Name': z.string().optional(),
  'Actual Rows': z.number(),
  'Actual Loops': z.number(),
  'Rows Removed by Filter': z.number().optional(),
  get Plans() {
    return z.array(planNode).optional()
  },
})
const explained = z.tuple([z.object({ 'QUERY PLAN': z.tuple([z.object({ Plan: planNode })]) })])

export interface Step {
  readonly name: string
  /** The rows that it read. */
  readonly rows: number
}

function stepsOf(node: PlanNode): Step[] {
  const table = node['Relation Name'] ?? ''
  const rows = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
  const step = { name: `${node['Node Type']} ${table}`.trim(), rows: table === '' ? 0 : rows }
  return [step, ...(node.Plans ?? []).flatMap(stepsOf)]
}

/**
 * The plan nodes of a batch's statements, as they were executed. The first statement, which sets the user and the
 * planner's settings, is left out.
 */
export async function runExplained(client: Client, [enter, ...queries]: Queries): Promise<Step[]> {
  const steps: Step[] = []
  await client.query('begin')
  try {
    await client.query(enter?.query ?? '', enter?.params)
    for (const { query, params } of queries) {
      const { rows } = await client.query(`explain (analyze, timing off, format json) ${query}`, params)
      steps.push(...stepsOf(explained.parse(rows)[0]['QUERY PLAN'][0].Plan))
    }
  } finally {
    await client.query('rollback')
  }
  return steps
}
