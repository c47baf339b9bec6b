// Refuses what Cloudflare's production refuses and a local workerd allows. Numbers: developers.cloudflare.com, Workers
// and Queues limits, November 2026.

const maxWaiting = 6
const maxIterations = 100_000
const maxMessageBytes = 128_000
const maxBatchBytes = 256_000
const maxBatchMessages = 100

export interface Usage {
  /** Requests to the outside, and queue sends. */
  subrequests: number
  /** The most connections that waited for their response's headers at once. */
  mostWaiting: number
}

/**
 * Runs `act` as one invocation under production's limits and returns what it used. Rejects what production refuses: a
 * seventh open connection (production would queue it; here it counts as a design fault), and PBKDF2 beyond its cap.
 */
export async function asOneInvocation(act: () => Promise<unknown>): Promise<Usage> {
  const usage: Usage = { subrequests: 0, mostWaiting: 0 }
  const violations: string[] = []
  let waiting = 0
  const { fetch } = globalThis
  const { subtle } = crypto
  const deriveBits = subtle.deriveBits.bind(subtle)
  const deriveKey = subtle.deriveKey.bind(subtle)
  const refuse = (what: string): never => {
    violations.push(what)
    throw new Error(what)
  }
  const checked = (algorithm: unknown): void => {
    if (typeof algorithm !== 'object' || algorithm === null || !('iterations' in algorithm)) return
    if (typeof algorithm.iterations === 'number' && algorithm.iterations > maxIterations)
      refuse(`PBKDF2 with ${algorithm.iterations} iterations`)
  }
  globalThis.fetch = async (...args: Parameters<typeof fetch>) => {
    usage.subrequests += 1
    waiting += 1
    usage.mostWaiting = Math.max(usage.mostWaiting, waiting)
    try {
      if (waiting > maxWaiting) refuse(`${waiting} connections waiting for headers`)
      return await fetch(...args)
    } finally {
      waiting -= 1
    }
  }
  crypto.subtle.deriveBits = async (...args: Parameters<typeof deriveBits>) => {
    checked(args[0])
    return await deriveBits(...args)
  }
  crypto.subtle.deriveKey = async (...args: Parameters<typeof deriveKey>) => {
    checked(args[0])
    return await deriveKey(...args)
  }
  try {
    await act()
  } finally {
    globalThis.fetch = fetch
    crypto.subtle.deriveBits = deriveBits
    crypto.subtle.deriveKey = deriveKey
  }
  // Code that caught the error has still exceeded the limit.
  if (violations.length > 0) throw new Error(violations.join('; '))
  return usage
}

/** Rejects a `sendBatch` that production's queues would refuse. */
export function checkBatch(messages: readonly { readonly body: unknown }[]): void {
  const sizes = messages.map(({ body }) => new TextEncoder().encode(JSON.stringify(body)).length)
  if (messages.length > maxBatchMessages) throw new Error(`a batch of ${messages.length} messages`)
  if (sizes.some((size) => size > maxMessageBytes)) throw new Error('a message over 128 kB')
  if (sizes.reduce((sum, size) => sum + size, 0) > maxBatchBytes) throw new Error('a batch over 256 kB')
}
