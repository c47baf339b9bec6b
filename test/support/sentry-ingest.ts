// A local ingest endpoint of Sentry: parses envelopes and keeps them, and can be slow, full or broken.
import { createServer } from 'node:http'
import * as z from 'zod'

/** https://develop.sentry.dev/sdk/data-model/envelopes/ */
const envelopeHeader = z.looseObject({
  sent_at: z.iso.datetime(),
  sdk: z.looseObject({ name: z.literal('toucan-js') }),
})
const itemHeader = z.looseObject({ type: z.enum(['event', 'transaction', 'check_in']) })

const traced = z.looseObject({ trace: z.looseObject({ trace_id: z.string().regex(/^[0-9a-f]{32}$/) }).optional() })
const itemSchema = z.looseObject({
  tags: z.record(z.string(), z.unknown()).default({}),
  contexts: traced.default({}),
  spans: z.array(z.looseObject({ op: z.string(), description: z.string() })).default([]),
  transaction: z.string().optional(),
  release: z.string().optional(),
  environment: z.string().optional(),
  message: z.unknown().optional(),
  monitor_slug: z.string().optional(),
  status: z.string().optional(),
  user: z.looseObject({ id: z.string() }).optional(),
})

export type Item = z.output<typeof itemSchema> & { readonly type: z.output<typeof itemHeader>['type'] }

export type Behaviour = 'ok' | 'hang' | 500 | 429

export interface SentryIngest {
  readonly dsn: string
  /** Every item, oldest first. */
  readonly items: readonly Item[]
  /** Every request as text: its line, its headers, its body. */
  readonly texts: readonly string[]
  behaviour: Behaviour
  stop(): Promise<void>
}

/** Throws for a body that is not an envelope of one item. */
function parseEnvelope(body: string): Item {
  const [header = '', item = '', payload = '', ...rest] = body.split('\n')
  if (rest.some((line) => line !== '')) throw new Error('an envelope of several items')
  envelopeHeader.parse(JSON.parse(header))
  const { type } = itemHeader.parse(JSON.parse(item))
  return { ...itemSchema.parse(JSON.parse(payload)), type }
}

export async function startSentryIngest(): Promise<SentryIngest> {
  const items: Item[] = []
  const texts: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      texts.push(`${request.method} ${request.url}\n${JSON.stringify(request.headers)}\n${body}`)
      items.push(parseEnvelope(body))
      if (ingest.behaviour === 'ok') response.writeHead(200).end('{}')
      else if (ingest.behaviour !== 'hang') response.writeHead(ingest.behaviour).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = z.object({ port: z.number() }).parse(server.address())
  const ingest: SentryIngest = {
    dsn: `http://publickey@127.0.0.1:${port}/42`,
    items,
    texts,
    behaviour: 'ok',
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return ingest
}
