// The routes of events exist twice: for users, under /webhooks, and for administrators, under /admin/webhooks. The first
// manage what a user's own events are sent to, the second what the events of every user are sent to.

export interface OwnerRoutes {
  readonly access: 'user' | 'admin'
  /** The start of the paths. */
  readonly path: string
  readonly tags: readonly string[]
  /** The name of an operation. */
  readonly id: (name: string) => string
}

export const ofUsers: OwnerRoutes = {
  access: 'user',
  path: '/api/v1/webhooks',
  tags: ['events'],
  id: (name) => name,
}

export const ofAdministrators: OwnerRoutes = {
  access: 'admin',
  path: '/api/v1/admin/webhooks',
  tags: ['admin'],
  id: (name) => `admin${name.charAt(0).toUpperCase()}${name.slice(1)}`,
}
