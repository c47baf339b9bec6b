// Adds the services to a request, or the configuration error, so that this error response gets its headers too.
import type { AppError } from '../../errors.ts'
import type { Services } from '../../context.ts'
import { servicesOf } from '../mount.ts'
import { asAppError } from '../problem.ts'
import type { Middleware } from '../request-state.ts'

/** Also sets the initial state of a request: no user, no route, no body. */
export function findServices(): Middleware {
  return async (context, next) => {
    context.set('services', attempt(context.env.services))
    context.set('actor', { kind: 'anonymous' })
    context.set('notes', {})
    context.set('event', null)
    context.set('targetId', null)
    context.set('route', 'none')
    context.set('page', false)
    context.set('limit', null)
    context.set('limitOutcomes', [])
    context.set('readBody', () => Promise.resolve(new Uint8Array()))
    await next()
  }
}

/** Everything mounted after it returns 500 without services. */
export function requireServices(): Middleware {
  return async (context, next) => {
    servicesOf(context)
    await next()
  }
}

function attempt(make: () => Services): Services | AppError {
  try {
    return make()
  } catch (error) {
    return asAppError(error)
  }
}
