// Routes of API keys exist where the deployment accepts keys.
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'

/** @throws AppError `not_found` without `API_KEYS=on` */
export function requireApiKeys({ services }: Ctx): { readonly kind: 'live' | 'test' } {
  const { apiKeys } = services.config
  if (apiKeys === null) throw new AppError('not_found', 'This deployment has no API keys.', { reason: 'API_KEYS' })
  return apiKeys
}
