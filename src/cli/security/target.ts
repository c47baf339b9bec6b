// What is scanned: a throwaway local stack with the Worker as it would be deployed, whose user has a bank, or somebody's
// deployment.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPrint } from '../../dev/lib/output.ts'
import { startStack, type LocalStack } from '../../dev/stack/stack.ts'
import { buildBundle } from '../bundle.ts'
import { apiOf } from '../demo/api.ts'
import { bankOf } from '../demo/bank.ts'
import { sendTo } from '../demo/http.ts'
import { askUntil } from '../demo/settle.ts'
import { misuse } from '../../dev/lib/run-command.ts'
import { createSignIn } from './sign-in.ts'

const ENVIRONMENT = { DATA_DIR: ':memory:', PORT: '0', PLAID_PORT: '0', SQL_PORT: '0', PG_PORT: '0' }
const PATIENCE_MS = 60_000

export interface Target {
  /** The origin. */
  readonly url: string
  /** An access token that lives for the next scan at least. */
  readonly tokenFor: (whose: { readonly isAdmin: boolean }) => Promise<string>
  stop(): Promise<void>
}

/** The item's products were all read, and its history is there. */
async function linkBank({ ready }: LocalStack, signal: AbortSignal): Promise<void> {
  const api = apiOf(sendTo(ready.api, { authorization: `Bearer ${ready.token}` }, signal))
  const bank = bankOf(sendTo(ready.plaid, {}, signal))
  const linkToken = await api.createLinkToken()
  const { publicToken, plaidItemId } = await bank.finishLink(linkToken, {})
  const { id } = await api.exchange(publicToken, linkToken)
  const held = async () => {
    const [{ status, products }, here, there] = await Promise.all([
      api.item(id),
      api.transactions(),
      bank.truth(plaidItemId),
    ])
    const isRead = products.every((one) => one.status === 'absent' || one.last_synced_at !== null)
    return { isWhole: status === 'healthy' && isRead && here.length === there.transactions.length, count: here.length }
  }
  const { isWhole, count } = await askUntil({ signal, patienceMs: PATIENCE_MS }, held, (found) => found.isWhole)
  if (!isWhole || count === 0) throw new Error('The bank did not arrive: `npm run demo` shows where it stops.')
  process.stdout.write(`The scanned user has linked a bank: ${count} transactions.\n`)
}

type Given = Readonly<Record<'token' | 'adminToken' | 'email' | 'password', string | undefined>>

/** @throws Error of misuse when there is neither a token nor an account */
export function remoteTarget(url: string, { token, adminToken = token, email, password }: Given): Target {
  const { origin } = new URL(url)
  const stop = () => Promise.resolve()
  if (token !== undefined && adminToken !== undefined)
    return { url: origin, tokenFor: ({ isAdmin }) => Promise.resolve(isAdmin ? adminToken : token), stop }
  if (email === undefined || password === undefined)
    throw misuse('--url needs --token, or SCAN_EMAIL and SCAN_PASSWORD in the environment.')
  return { url: origin, tokenFor: createSignIn(origin, { email, password }), stop }
}

export async function startLocalTarget(signal: AbortSignal): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-scanned-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  const random = (encoding: 'hex' | 'base64') => randomBytes(32).toString(encoding)
  const chosen = {
    ENVIRONMENT: 'development',
    PLAID_ENV: 'sandbox',
    PLAID_CLIENT_ID: random('hex'),
    PLAID_SECRET: random('hex'),
    SECRET_KEY: random('hex'),
    ENCRYPTION_KEY: random('base64'),
    // A scanner asks by the thousand.
    RATE_LIMIT_ENABLED: 'false',
  }
  const onFailure = (message: string) => process.stderr.write(`${message}\n`)
  const all = createPrint(process.stderr)
  const print: typeof all = (part, line, level) => (level === 'error' ? all(part, line, level) : undefined)
  let stack: LocalStack | undefined
  const stop = async () => {
    await stack?.stop()
    await remove()
  }
  try {
    const { entry: bundle } = await buildBundle(folder)
    const variables = { chosen, examples: {} }
    stack = await startStack({ environment: ENVIRONMENT, variables, bundle, print, signal, onFailure })
    await linkBank(stack, signal)
    const { api: url, token, admin_token: adminToken } = stack.ready
    if (token === undefined || adminToken === undefined) throw new Error('The local stack gave no tokens.')
    return { url, tokenFor: ({ isAdmin }) => Promise.resolve(isAdmin ? adminToken : token), stop }
  } catch (error) {
    await stop()
    throw error
  }
}
