// The routes of events exist twice: under /webhooks for users, and under /admin/webhooks for administrators. The first
// manage what a user's own events are sent to, and, called with a key of an application and without a user, what the events
// of all users of the application are sent to. The second manage what the events of every user are sent to.
import type { ApplicationScope } from '../../../auth/key-scopes.ts'

export interface OwnerRoutes {
  /** Spread into each route. */
  readonly access: { readonly access: 'user'; readonly ofApplications: ApplicationScope } | { readonly access: 'admin' }
  /** The start of the paths. */
  readonly path: string
  readonly tags: readonly string[]
  /** The name of an operation. */
  readonly id: (name: string) => string
}

export const ofUsers: OwnerRoutes = {
  access: { access: 'user', ofApplications: 'webhooks' },
  path: '/api/v1/webhooks',
  tags: ['events'],
  id: (name) => name,
}

export const ofAdministrators: OwnerRoutes = {
  access: { access: 'admin' },
  path: '/api/v1/admin/webhooks',
  tags: ['admin'],
  id: (name) => `admin${name.charAt(0).toUpperCase()}${name.slice(1)}`,
}
