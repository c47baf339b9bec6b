// What a certificate of an erasure says, for reading. Only `npm run erasure -- verify` checks its signature.
export interface Certificate {
  /** Rows by table. */
  readonly deleted: readonly (readonly [table: string, rows: number])[]
  readonly items: string
  readonly kept: readonly { readonly what: string; readonly why: string }[]
}

type Members = Readonly<Record<string, unknown>>
const membersOf = (value: unknown): Members => (typeof value === 'object' && value !== null ? { ...value } : {})
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

function payloadOf(jws: string): Members | null {
  const [, payload = ''] = jws.split('.')
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
    return membersOf(JSON.parse(new TextDecoder().decode(bytes)))
  } catch {
    return null
  }
}

/** Null if it cannot be read: the file is still to keep. */
export function readCertificate(jws: string): Certificate | null {
  const payload = payloadOf(jws)
  if (payload === null) return null
  const { deleted, plaid, kept } = payload
  return {
    deleted: Object.entries(membersOf(deleted)).flatMap(([table, rows]) =>
      typeof rows === 'number' ? [[table, rows] as const] : [],
    ),
    items: text(membersOf(plaid)['items']),
    kept: Array.isArray(kept)
      ? kept.map((row: unknown) => ({ what: text(membersOf(row)['what']), why: text(membersOf(row)['why']) }))
      : [],
  }
}
