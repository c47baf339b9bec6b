// Lists every Plaid endpoint that the simulator serves.
import { accountEndpoints } from './accounts.ts'
import type { Endpoint } from './endpoint.ts'
import { identityAuthEndpoints } from './identity-auth.ts'
import { institutionEndpoints } from './institutions.ts'
import { investmentEndpoints } from './investments.ts'
import { itemEndpoints } from './item.ts'
import { liabilitiesEndpoint } from './liabilities.ts'
import { linkEndpoints } from './link.ts'
import { sandboxItemEndpoints } from './sandbox-item.ts'
import { sandboxEndpoints } from './sandbox.ts'
import { transactionsRecurring } from './transactions-recurring.ts'
import { transactionsSync } from './transactions-sync.ts'
import { transactionEndpoints } from './transactions.ts'
import { userEndpoints } from './user.ts'
import { webhookKeyEndpoint } from './webhook-key.ts'

export const endpoints: readonly Endpoint[] = [
  ...linkEndpoints,
  ...itemEndpoints,
  ...accountEndpoints,
  transactionsSync,
  ...transactionEndpoints,
  transactionsRecurring,
  ...investmentEndpoints,
  liabilitiesEndpoint,
  ...identityAuthEndpoints,
  ...institutionEndpoints,
  webhookKeyEndpoint,
  ...userEndpoints,
  ...sandboxEndpoints,
  ...sandboxItemEndpoints,
]
