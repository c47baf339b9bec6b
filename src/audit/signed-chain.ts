// The canonical encodings of what ties the rows of the audit trail together: links, checkpoints and prunings.
import { type Bytes, decodeHex, encodeHex } from '../crypto/encoding.ts'
import type { AuditField } from './keys.ts'

/** The place of a row in its chain: one chain for each person, and one for the system. */
export interface Link {
  readonly chain: string
  /** 1, 2, … in each chain. */
  readonly number: number
  /** The MAC of the link before; null for the first one. */
  readonly previous: Uint8Array | null
  readonly auditId: string
  readonly rowMac: Uint8Array
  /** The checkpoint that was signed with it. */
  readonly checkpoint: number
}

export const linkFields = ({ chain, number, previous, auditId, rowMac, checkpoint }: Link): readonly AuditField[] => [
  '1',
  chain,
  String(number),
  previous,
  auditId,
  rowMac,
  String(checkpoint),
]

/** The end of a chain: the number and the MAC of its last link. */
export interface Head {
  readonly chain: string
  readonly number: number
  readonly mac: Uint8Array
}

/** What one run of the chaining job signed: the new heads, and the checkpoint before. */
export interface Checkpoint {
  readonly number: number
  readonly at: Date
  readonly previous: Uint8Array | null
  /** `encodeHeads`. */
  readonly heads: string
}

export const checkpointFields = ({ number, at, previous, heads }: Checkpoint): readonly AuditField[] => [
  '1',
  String(number),
  at.toISOString(),
  previous,
  heads,
]

/** The first half of a MAC, in hexadecimal: enough to recognize it, and no log takes it for a key. */
export const anchorMac = (mac: Uint8Array): string => encodeHex(mac.slice(0, 16))

/** `chain number mac` for each head, separated by semicolons. */
export const encodeHeads = (heads: readonly Head[]): string =>
  heads.map(({ chain, number, mac }) => `${chain} ${number} ${encodeHex(mac)}`).join(';')

/** Null for text that `encodeHeads` does not return. */
export function decodeHeads(text: string): readonly Head[] | null {
  const heads: Head[] = []
  for (const part of text.split(';')) {
    const [, chain, number, hex] = /^([0-9a-f-]{36}) ([1-9]\d{0,14}) ([0-9a-f]{64})$/.exec(part) ?? []
    const mac: Bytes | null = hex === undefined ? null : decodeHex(hex)
    if (chain === undefined || mac === null) return null
    heads.push({ chain, number: Number(number), mac })
  }
  return heads
}

/** In place of a chain, where the pruning is of checkpoints. */
export const noChain = '00000000-0000-0000-0000-000000000000'

/** The beginning of a chain after retention deleted its oldest rows: the last link that is gone. */
export interface Pruning extends Head {
  readonly at: Date
}

export const pruningFields = ({ chain, number, mac, at }: Pruning): readonly AuditField[] => [
  '1',
  chain,
  String(number),
  mac,
  at.toISOString(),
]
