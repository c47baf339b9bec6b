// /webhook_verification_key/get: the public key for a webhook's `kid`.
import * as z from 'zod'
import { failure } from '../lib/failure.ts'
import { endpoint } from './endpoint.ts'

export const webhookKeyEndpoint = endpoint('/webhook_verification_key/get', { key_id: z.string() }, (world, body) => {
  const key = world.keys.byId(body.key_id)
  if (key === null) throw failure('INVALID_WEBHOOK_VERIFICATION_KEY_ID')
  return { key: { ...key } }
})
