// A secret value that prints as [redacted]. Only the module that sends it to a third party calls `reveal`.

const shownText = '[redacted]'

export interface Secret {
  /** The value itself. */
  reveal(): string
  toString(): string
  toJSON(): string
}

/**
 * Wraps a value in a closure, so that neither enumeration nor an inspector finds it, and `structuredClone` (queue
 * messages, RPC) refuses it.
 */
export function createSecret(value: string): Secret {
  const redacted = (): string => shownText
  return Object.freeze({
    reveal: () => value,
    toString: redacted,
    toJSON: redacted,
    [Symbol.toPrimitive]: redacted,
    [Symbol.for('nodejs.util.inspect.custom')]: redacted,
  })
}
