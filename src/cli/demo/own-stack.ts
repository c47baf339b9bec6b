// The stack that the demo starts, with the parts that the demo uses.
import type { Print } from '../../dev/lib/output.ts'
import { signToken } from '../../dev/lib/sign-token.ts'
import { cronSchedules, fireCron } from '../../dev/stack/crons.ts'
import { apiOf } from '../lib/api-client.ts'
import { type Bank, bankOf } from '../lib/bank-client.ts'
import { sendTo } from '../lib/http.ts'
import { startThrowawayStack } from '../lib/throwaway-stack.ts'
import type { Demo } from './context.ts'

const tokenSeconds = 3600

export interface OwnStack extends Pick<Demo, 'apiFor' | 'worker' | 'sweep'> {
  readonly bank: Bank
  readonly urls: { readonly api: string; readonly plaid: string }
  stop(): Promise<void>
}

/** Builds the Worker and starts the stack. Calls `onFailure` when a part ends unexpectedly. */
export async function startOwnStack(
  print: Print,
  signal: AbortSignal,
  onFailure: (message: string) => void,
): Promise<OwnStack> {
  const { stack, secretKey: secret, stop } = await startThrowawayStack({ print, signal, onFailure })
  const { api, plaid } = stack.ready
  return {
    urls: { api, plaid },
    bank: bankOf(sendTo(plaid, {}, signal)),
    async apiFor(name) {
      const token = await signToken({ secret, subject: name, ttlSeconds: tokenSeconds })
      return apiOf(sendTo(api, { authorization: `Bearer ${token}` }, signal))
    },
    worker: stack.worker,
    sweep: () => fireCron(api, cronSchedules.sweep, signal),
    stop,
  }
}
