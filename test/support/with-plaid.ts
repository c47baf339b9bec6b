// Services with changed calls to Plaid, for use cases and for queue runs.
import type { Plaid } from '../../src/plaid/endpoints.ts'
import type { Services } from '../../src/context.ts'

export function withPlaid(services: Services, changed: Partial<Plaid>): Services {
  const plaid = { ...services.plaid, ...changed }
  return { ...services, plaid, plaidFor: () => plaid }
}
