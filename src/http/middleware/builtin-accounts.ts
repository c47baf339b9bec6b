// Hides the routes of built-in accounts in a deployment with an OIDC issuer.
import { AppError } from '../../errors.ts'
import { servicesOf } from '../mount.ts'
import type { Middleware } from '../request-state.ts'

const refuse = (): Promise<never> => Promise.reject(new AppError('not_found', 'There is no such path.'))

/**
 * @param count runs before a refusal, so such requests count like those for any unknown path
 * @throws AppError `not_found` in such a deployment, for any method and token
 */
export function builtinAccounts(count: Middleware): Middleware {
  return async (context, next) => {
    if (servicesOf(context).identity === null) await count(context, refuse)
    else await next()
  }
}
