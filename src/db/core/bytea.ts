// Bytes as a parameter of a statement.
import { type SQL, sql } from 'drizzle-orm'
import { encodeHex } from '../../crypto/encoding.ts'

export const bytea = (bytes: Uint8Array | null): SQL => sql`${bytes === null ? null : `\\x${encodeHex(bytes)}`}::bytea`
