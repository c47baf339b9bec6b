// The stack that the demo starts for itself: the Worker as it would be deployed, throwaway data, free ports, secrets of
// this run. Nothing of the shell's variables or of .dev.vars reaches it: it can touch no database and no Plaid but its own.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CRONS, fireCron } from '../../dev/stack/crons.ts'
import type { Print } from '../../dev/lib/output.ts'
import { startStack } from '../../dev/stack/stack.ts'
import type { LocalStack } from '../../dev/stack/stack.ts'
import { buildBundle } from '../bundle.ts'
import { signToken } from '../../dev/lib/sign-token.ts'
import { apiOf } from './api.ts'
import type { Bank } from './bank.ts'
import { bankOf } from './bank.ts'
import type { Demo } from './context.ts'
import { sendTo } from './http.ts'

const environment = { DATA_DIR: ':memory:', PORT: '0', PLAID_PORT: '0', SQL_PORT: '0', PG_PORT: '0' }
const tokenSeconds = 3600

const randomSecret = (encoding: 'hex' | 'base64'): string => randomBytes(32).toString(encoding)

function freshVariables(secretKey: string): Record<string, string> {
  return {
    ENVIRONMENT: 'development',
    PLAID_ENV: 'sandbox',
    PLAID_CLIENT_ID: randomSecret('hex'),
    PLAID_SECRET: randomSecret('hex'),
    SECRET_KEY: secretKey,
    ENCRYPTION_KEY: randomSecret('base64'),
    // The demo asks far oftener than a person would.
    RATE_LIMIT_ENABLED: 'false',
  }
}

export interface OwnStack extends Pick<Demo, 'apiFor' | 'worker' | 'sweep'> {
  readonly bank: Bank
  readonly urls: { readonly api: string; readonly plaid: string }
  stop(): Promise<void>
}

/** Builds and starts it. `onFailure` is told when a part ends by itself. */
export async function startOwnStack(
  print: Print,
  signal: AbortSignal,
  onFailure: (message: string) => void,
): Promise<OwnStack> {
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-demo-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const { entry: bundle } = await buildBundle(folder)
    signal.throwIfAborted()
    const secret = randomSecret('hex')
    const variables = { chosen: freshVariables(secret), examples: {} }
    const stack = await startStack({ environment, variables, bundle, print, signal, onFailure })
    const stop = async () => {
      await stack.stop()
      await remove()
    }
    return { ...handsOn(stack, secret, signal), stop }
  } catch (error) {
    await remove()
    throw error
  }
}

function handsOn({ ready, worker }: LocalStack, secret: string, signal: AbortSignal): Omit<OwnStack, 'stop'> {
  const { api, plaid } = ready
  return {
    urls: { api, plaid },
    bank: bankOf(sendTo(plaid, {}, signal)),
    async apiFor(name) {
      const token = await signToken({ secret, subject: name, ttlSeconds: tokenSeconds })
      return apiOf(sendTo(api, { authorization: `Bearer ${token}` }, signal))
    },
    worker,
    sweep: () => fireCron(api, CRONS.sweep, signal),
  }
}
