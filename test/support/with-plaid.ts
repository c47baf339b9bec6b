// Services whose Plaid answers otherwise, whoever calls it: for a verb and for a run of the queue alike.
import type { Plaid } from '../../src/plaid/endpoints.ts'
import type { Services } from '../../src/context.ts'

export function withPlaid(services: Services, changed: Partial<Plaid>): Services {
  const plaid = { ...services.plaid, ...changed }
  return { ...services, plaid, plaidFor: () => plaid }
}
