// The export of everything that is stored about a user.
import * as z from 'zod'
import { exportData } from '../../../privacy/export.ts'
import { route } from '../../route.ts'

const mediaTypes = { jsonl: 'application/jsonl', csv: 'application/zip' } as const
const extensions = { jsonl: 'jsonl', csv: 'zip' } as const

export const exportRoute = route({
  id: 'exportData',
  event: 'data_export',
  method: 'GET',
  path: '/api/v1/privacy/export',
  summary: 'Export all data',
  tags: ['privacy'],
  access: 'user',
  session: 'live',
  limit: 'sensitive',
  query: z.strictObject({ format: z.enum(['jsonl', 'csv']).default('jsonl') }),
  answers: { 200: z.instanceof(ReadableStream) },
  streams: Object.values(mediaTypes),
  errors: [],
}).handle(async (ctx, { query: { format } }) => {
  const name = `export-${ctx.now().toISOString().slice(0, 10)}.${extensions[format]}`
  const headers = {
    'content-type': mediaTypes[format],
    'content-disposition': `attachment; filename="${name}"`,
  }
  return { status: 200, body: await exportData(ctx, format), headers }
})
