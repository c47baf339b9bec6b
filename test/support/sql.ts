// Runs statements as any login over the Neon endpoint's HTTP, in Node and in workerd.
import * as z from 'zod'

const answerSchema = z.object({
  fields: z.array(z.object({ name: z.string() })),
  rows: z.array(z.array(z.string().nullable())),
})

const errorSchema = z.object({ code: z.string().nullish(), message: z.string() })

/**
 * Returns rows by column name, each value as PostgreSQL's text. Rejects with PostgreSQL's own message. Repeats a
 * statement that PostgreSQL rolled back to end a deadlock.
 */
export async function query(
  endpoint: string,
  url: string,
  text: string,
  params: readonly unknown[] = [],
  attempts = 3,
): Promise<Record<string, string | null>[]> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'neon-connection-string': url, 'neon-raw-text-output': 'true', 'neon-array-mode': 'true' },
    body: JSON.stringify({ query: text, params }),
  })
  const answer: unknown = await response.json()
  if (!response.ok) {
    const { code, message } = errorSchema.parse(answer)
    if (code === '40P01' && attempts > 1) return await query(endpoint, url, text, params, attempts - 1)
    throw new Error(message)
  }
  const { fields, rows } = answerSchema.parse(answer)
  return rows.map((row) => Object.fromEntries(fields.map(({ name }, column) => [name, row[column] ?? null])))
}
