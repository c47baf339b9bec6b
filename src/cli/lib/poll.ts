// Polls until a condition holds or a timeout ends.
import { setTimeout as delay } from 'node:timers/promises'

const pollMs = 250

export interface PollOptions {
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

/** Reads repeatedly until `isGood` accepts the value or the timeout ends. Returns the last value either way. */
export async function pollUntil<Value>(
  { signal, timeoutMs }: PollOptions,
  read: () => Promise<Value>,
  isGood: (value: Value) => boolean,
): Promise<Value> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await read()
    if (isGood(value) || performance.now() > deadline) return value
    await delay(pollMs, undefined, { signal })
  }
}
