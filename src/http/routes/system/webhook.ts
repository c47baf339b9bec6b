// Receives webhooks from Plaid and from a relay of the operator. The signature over the body authenticates them, so the raw bytes
// are passed on.
import * as z from 'zod'
import { receiveWebhook } from '../../../webhooks/receive.ts'
import { publicRoute } from '../../route.ts'

/** One byte more than verification accepts, so that it refuses an oversized body like any other invalid webhook. */
export const webhookBodyBytes = 1_048_576 + 1

export const webhookRoute = publicRoute({
  id: 'receiveWebhook',
  audit: {
    none: 'Each verified webhook is a row of webhook_events; one that changes an item is a row of the trail too.',
  },
  method: 'POST',
  path: '/api/v1/plaid/webhook',
  summary: 'Receive a webhook',
  tags: ['webhooks'],
  limit: 'webhook',
  headers: z.object({
    'plaid-verification': z.string().optional().describe('Plaid’s signature: a JWT over the SHA-256 of the body.'),
    'x-webhook-signature': z
      .string()
      .optional()
      .describe('The signature of the relay: `t=<unix seconds>,v1=<hex HMAC-SHA-256 of t.body>`.'),
  }),
  body: 'bytes',
  answers: { 200: z.object({}).meta({ id: 'Empty' }) },
  errors: ['webhook_refused', 'webhook_unverified', 'unavailable'],
}).handle(async (ctx, { headers, body }) => {
  await receiveWebhook(ctx, {
    plaidVerification: headers['plaid-verification'] ?? null,
    webhookSignature: headers['x-webhook-signature'] ?? null,
    body,
  })
  return { status: 200, body: {} }
})
