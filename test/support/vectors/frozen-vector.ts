// A value that was stored or signed before, and how the product reads it.

export interface FrozenVector {
  readonly name: string
  /** Calls the product. */
  readonly read: () => unknown
  readonly expected: unknown
}
