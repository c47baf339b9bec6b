// Hides what belongs to built-in accounts from a deployment whose users an OIDC issuer vouches for.
import { AppError } from '../../errors.ts'
import { servicesOf } from '../mount.ts'
import type { Middleware } from '../request-state.ts'

const refuse = (): Promise<never> => Promise.reject(new AppError('not_found', 'There is no such path.'))

/**
 * @param count runs before a refusal, so that asking for what is not there counts as it does for any other path
 * @throws AppError `not_found` in such a deployment, whatever the method and the token
 */
export function builtinAccounts(count: Middleware): Middleware {
  return async (context, next) => {
    if (servicesOf(context).identity === null) await count(context, refuse)
    else await next()
  }
}
