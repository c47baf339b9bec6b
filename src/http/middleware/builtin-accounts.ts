// Hides what belongs to built-in accounts from a deployment whose users an OIDC issuer vouches for.
import { AppError } from '../../errors.ts'
import { servicesOf } from '../mount.ts'
import type { Middleware } from '../request-state.ts'

/** @throws AppError `not_found` in such a deployment, whatever the method and the token */
export function builtinAccounts(): Middleware {
  return async (context, next) => {
    if (servicesOf(context).identity === null) throw new AppError('not_found', 'There is no such path.')
    await next()
  }
}
