// The assertions about Plaid, and where they run: at the simulator, or at Plaid's sandbox with the operator's keys. No
// other environment can be called.
import { randomBytes } from 'node:crypto'
import { misuse } from '../../dev/lib/run-command.ts'
import { startSimulator } from '../../dev/plaid-simulator/server.ts'
import type { Assertion } from './assertion.ts'
import { errorAssertions } from './plaid/errors.ts'
import { openInbox } from './plaid/inbox.ts'
import { linkAssertions } from './plaid/link.ts'
import { productAssertions } from './plaid/products.ts'
import { syncAssertions } from './plaid/sync.ts'
import { openPlaidTarget, type PlaidPlace, type PlaidTarget } from './plaid/target.ts'
import { tokenAssertions } from './plaid/tokens.ts'
import { userAssertions } from './plaid/users.ts'
import { webhookAssertions } from './plaid/webhooks.ts'
import { type Result, runAssertions, type RunChoices } from './run.ts'

const sandbox = 'https://sandbox.plaid.com'

export const plaidAssertions: readonly Assertion<PlaidTarget>[] = [
  ...errorAssertions,
  ...userAssertions,
  ...linkAssertions,
  ...tokenAssertions,
  ...productAssertions,
  ...syncAssertions,
  ...webhookAssertions,
]

async function assertAt(place: PlaidPlace, choices: RunChoices): Promise<Result[]> {
  const { target, close } = openPlaidTarget(place)
  try {
    return await runAssertions(plaidAssertions, target, choices)
  } finally {
    await close()
  }
}

export async function runPlaidStandIn(choices: RunChoices): Promise<Result[]> {
  const [clientId, secret] = [randomBytes(12).toString('hex'), randomBytes(15).toString('hex')]
  const simulator = await startSimulator({ port: 0, clientId, secret })
  const inbox = await openInbox(0, null)
  try {
    return await assertAt({ baseUrl: simulator.url, clientId, secret, inbox, hasControl: true }, choices)
  } finally {
    await inbox.stop()
    await simulator.stop()
  }
}

export interface Tunnel {
  readonly publicUrl: string
  readonly port: number
}

/** Against Plaid's sandbox, with the keys in the environment. */
export async function runPlaidSandbox(
  environment: Readonly<Record<string, string | undefined>>,
  tunnel: Tunnel | null,
  choices: RunChoices,
): Promise<Result[]> {
  const { PLAID_CLIENT_ID: clientId, PLAID_SECRET: secret, PLAID_ENV: plaidEnv = 'sandbox' } = environment
  if (!clientId || !secret) throw misuse('Set PLAID_CLIENT_ID and PLAID_SECRET to the keys of your sandbox.')
  if (plaidEnv !== 'sandbox') throw misuse('PLAID_ENV is not sandbox: nothing but the sandbox is called.')
  const inbox = tunnel === null ? null : await openInbox(tunnel.port, tunnel.publicUrl)
  try {
    return await assertAt({ baseUrl: sandbox, clientId, secret, inbox, hasControl: false }, choices)
  } finally {
    await inbox?.stop()
  }
}
