// The text of one operation in the API reference. Read when docs/openapi.json is written, never for a request.

export interface OperationText {
  /** Its effect, its requirements, its result. */
  readonly description: string
  /** Parameters without a general description in fields.ts. */
  readonly parameters?: Readonly<Record<string, string>>
  readonly body?: string
  /** Status → meaning of the response. */
  readonly responses: Readonly<Record<number, string>>
  /** Obviously invented values that fit the schemas. */
  readonly example?: { readonly request?: unknown; readonly response?: unknown }
}

export type OperationTexts = Readonly<Record<string, OperationText>>

export const paged = 'Returns one page; pass `next_cursor` as `cursor` to get the next one.'

/** Ids of the examples. */
export const sample = {
  item: '11111111-1111-4111-8111-111111111111',
  account: '22222222-2222-4222-8222-222222222222',
  otherAccount: '33333333-3333-4333-8333-333333333333',
  transaction: '44444444-4444-4444-8444-444444444444',
  row: '55555555-5555-4555-8555-555555555555',
  run: '66666666-6666-4666-8666-666666666666',
  backup: '20260302T093000Z-5f0c8a1e',
  user: '77777777-7777-4777-8777-777777777777',
  time: '2026-03-02T09:30:00.000Z',
} as const

/** A page with one row. */
export const page = (row: unknown): { data: unknown[]; next_cursor: null } => ({ data: [row], next_cursor: null })
