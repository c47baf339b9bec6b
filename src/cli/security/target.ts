// The target of the scanners: a throwaway local stack whose user has linked a bank, or a deployment by its URL.
import { createPrint } from '../../dev/lib/output.ts'
import { misuse } from '../../dev/lib/run-command.ts'
import type { LocalStack } from '../../dev/stack/stack.ts'
import { apiOf } from '../lib/api-client.ts'
import { bankOf } from '../lib/bank-client.ts'
import { sendTo } from '../lib/http.ts'
import { pollUntil } from '../lib/poll.ts'
import { startThrowawayStack } from '../lib/throwaway-stack.ts'
import { createSignIn } from './sign-in.ts'

const timeoutMs = 60_000

export interface Target {
  /** The origin. */
  readonly url: string
  /** An access token that is valid at least for the next scan. */
  readonly tokenFor: (whose: { readonly isAdmin: boolean }) => Promise<string>
  stop(): Promise<void>
}

/** Links a bank and waits until all its products are synced and its history is complete. */
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
  const { isWhole, count } = await pollUntil({ signal, timeoutMs }, held, (found) => found.isWhole)
  if (!isWhole || count === 0) throw new Error('The bank did not arrive: `npm run demo` shows where it stops.')
  process.stdout.write(`The scanned user has linked a bank: ${count} transactions.\n`)
}

type Given = Readonly<Record<'token' | 'adminToken' | 'email' | 'password', string | undefined>>

/** The options, else the variables of the environment, which no other process sees. An empty variable counts as none. */
export function credentialsOf(options: Pick<Given, 'token' | 'adminToken'>, environment: NodeJS.ProcessEnv): Given {
  const variable = (name: string) => environment[name] || undefined
  return {
    token: options.token ?? variable('SCAN_TOKEN'),
    adminToken: options.adminToken ?? variable('SCAN_ADMIN_TOKEN'),
    email: variable('SCAN_EMAIL'),
    password: variable('SCAN_PASSWORD'),
  }
}

/** @throws Error of misuse if there is neither a token nor an account */
export function remoteTarget(url: string, { token, adminToken = token, email, password }: Given): Target {
  const { origin } = new URL(url)
  const stop = () => Promise.resolve()
  if (token !== undefined && adminToken !== undefined)
    return { url: origin, tokenFor: ({ isAdmin }) => Promise.resolve(isAdmin ? adminToken : token), stop }
  if (email === undefined || password === undefined)
    throw misuse('--url needs --token or SCAN_TOKEN, or SCAN_EMAIL and SCAN_PASSWORD in the environment.')
  return { url: origin, tokenFor: createSignIn(origin, { email, password }), stop }
}

export async function startLocalTarget(signal: AbortSignal): Promise<Target> {
  const onFailure = (message: string) => process.stderr.write(`${message}\n`)
  const all = createPrint(process.stderr)
  const print: typeof all = (part, line, level) => (level === 'error' ? all(part, line, level) : undefined)
  const { stack, stop } = await startThrowawayStack({ print, signal, onFailure })
  try {
    await linkBank(stack, signal)
    const { api: url, token, admin_token: adminToken } = stack.ready
    if (token === undefined || adminToken === undefined) throw new Error('The local stack returned no tokens.')
    return { url, tokenFor: ({ isAdmin }) => Promise.resolve(isAdmin ? adminToken : token), stop }
  } catch (error) {
    await stop()
    throw error
  }
}
