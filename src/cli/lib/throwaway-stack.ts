// A local stack for one run of a command: the Worker as it would be deployed, temporary data, free ports and random
// secrets. Ignores the shell's variables and .dev.vars, so it reaches no other database and no other Plaid client.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBundle } from '../../dev/lib/bundle.ts'
import type { Print } from '../../dev/lib/output.ts'
import { type LocalStack, startStack } from '../../dev/stack/stack.ts'

const environment = { DATA_DIR: ':memory:', PORT: '0', PLAID_PORT: '0', SQL_PORT: '0', PG_PORT: '0' }

const randomSecret = (encoding: 'hex' | 'base64'): string => randomBytes(32).toString(encoding)

export interface ThrowawayStackOptions {
  readonly print: Print
  readonly signal: AbortSignal
  /** Called when a part of the stack ends unexpectedly. */
  readonly onFailure: (message: string) => void
  /** Further variables of the Worker. */
  readonly variables?: Readonly<Record<string, string>>
  /** Whether it serves the console. */
  readonly console?: boolean
}

export interface ThrowawayStack {
  readonly stack: LocalStack
  /** The key that signs access tokens. */
  readonly secretKey: string
  /** Stops the stack and removes its data. */
  readonly stop: () => Promise<void>
}

/** Builds the Worker and starts the stack. Rate limits are off, because commands send far more requests than a person. */
export async function startThrowawayStack({
  print,
  signal,
  onFailure,
  variables = {},
  console = false,
}: ThrowawayStackOptions): Promise<ThrowawayStack> {
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-command-'))
  const removeFolder = () => rm(folder, { recursive: true, force: true })
  const secretKey = randomSecret('hex')
  const chosen = {
    ENVIRONMENT: 'development',
    PLAID_ENV: 'sandbox',
    PLAID_CLIENT_ID: randomSecret('hex'),
    PLAID_SECRET: randomSecret('hex'),
    SECRET_KEY: secretKey,
    ENCRYPTION_KEY: randomSecret('base64'),
    RATE_LIMIT_ENABLED: 'false',
    ...variables,
  }
  try {
    const { entry: bundle } = await buildBundle(folder)
    signal.throwIfAborted()
    const stack = await startStack({
      environment,
      variables: { chosen, examples: {} },
      bundle,
      console,
      print,
      signal,
      onFailure,
    })
    const stop = async () => {
      await stack.stop()
      await removeFolder()
    }
    return { stack, secretKey, stop }
  } catch (error) {
    await removeFolder()
    throw error
  }
}
