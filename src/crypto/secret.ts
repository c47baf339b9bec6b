// A secret value that prints as [redacted] wherever it is turned into text. `reveal` is for the module that speaks to
// the third party; whoever calls it elsewhere undoes the wrapper.

const REDACTED = '[redacted]'

export interface Secret {
  /** The value itself. */
  reveal(): string
  toString(): string
  toJSON(): string
}

/**
 * Wraps a value. It lives in a closure, not in a property, so neither enumeration nor an inspector finds it, and
 * `structuredClone` (a queue message, an RPC) refuses it.
 */
export function createSecret(value: string): Secret {
  const redacted = (): string => REDACTED
  return Object.freeze({
    reveal: () => value,
    toString: redacted,
    toJSON: redacted,
    [Symbol.toPrimitive]: redacted,
    [Symbol.for('nodejs.util.inspect.custom')]: redacted,
  })
}
