// The purposes for which a user allows the use of their data.
import * as z from 'zod'
import { changeConsents, type Consents, readConsents } from '../../../privacy/consents.ts'
import { route } from '../../route.ts'
import { instant, timeText } from '../../schemas.ts'

const decisions = {
  linking_and_sync: z.boolean().describe('Links banks and keeps their data in sync.'),
  insights: z.boolean().describe('Computes sums over accounts and transactions.'),
  product_emails: z.boolean().describe('Sends e-mails about the product. E-mails about security are always sent.'),
  diagnostics: z.boolean().describe('Reports errors of this person’s requests to the error monitoring.'),
}
const version = z.int().min(0).max(2_147_483_647).describe('The version of the decisions.')

const consentsSchema = z
  .object({
    version: version.describe('Raised by each change; 0 before the first.'),
    purposes: z.object(decisions).describe('What is allowed now.'),
    history: z
      .array(z.object({ version, purposes: z.object(decisions), decided_at: instant }).meta({ id: 'Decision' }))
      .describe('The last 100 decisions, newest first.'),
  })
  .meta({ id: 'Consents' })

function purposesOf({
  linking_and_sync,
  insights,
  product_emails,
  diagnostics,
}: Consents['decisions']): Consents['decisions'] {
  return { linking_and_sync, insights, product_emails, diagnostics }
}

const viewOf = (consents: Consents): z.input<typeof consentsSchema> => ({
  version: consents.version,
  purposes: purposesOf(consents.decisions),
  history: consents.history.map((decision) => ({
    version: decision.version,
    purposes: purposesOf(decision),
    decided_at: timeText(decision.decided_at),
  })),
})

const common = {
  path: '/api/v1/privacy/consents',
  tags: ['privacy'],
  access: 'user',
  limit: 'sensitive',
  answers: { 200: consentsSchema },
} as const

export const getConsentsRoute = route({
  ...common,
  id: 'getConsents',
  method: 'GET',
  summary: 'Get consents',
  errors: [],
}).handle(async (ctx) => ({ status: 200, body: viewOf(await readConsents(ctx)) }))

export const putConsentsRoute = route({
  ...common,
  id: 'putConsents',
  audit: ['consents_changed'],
  event: 'consent_change',
  method: 'PUT',
  session: 'live',
  summary: 'Change consents',
  body: z
    .strictObject({
      version: version.describe('The version that the client has read.'),
      purposes: z.strictObject(decisions).describe('What is allowed from now on; all purposes.'),
    })
    .meta({ id: 'ConsentsChange' }),
  errors: ['conflict'],
}).handle(async (ctx, { body }) => ({
  status: 200,
  body: viewOf(await changeConsents(ctx, body.version, body.purposes)),
}))
