// Plaid's endpoints that the simulator answers. The table of contents, and nothing else.

import type { Endpoint } from '../endpoint.ts'
import { accountEndpoints } from './accounts.ts'
import { itemEndpoints } from './item.ts'
import { linkEndpoints } from './link.ts'
import { sandboxEndpoints } from './sandbox.ts'
import { transactionsSync } from './transactions-sync.ts'
import { webhookKeyEndpoint } from './webhook-key.ts'

export const endpoints: readonly Endpoint[] = [
  ...linkEndpoints,
  ...itemEndpoints,
  ...accountEndpoints,
  transactionsSync,
  webhookKeyEndpoint,
  ...sandboxEndpoints,
]
