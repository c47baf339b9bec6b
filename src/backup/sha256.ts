// SHA-256 of a stream in the platform's native code.
import type { Digest } from './create-backup.ts'

/** Imported with the first backup. */
export async function loadSha256(): Promise<() => Digest> {
  // oxlint-disable-next-line no-restricted-imports -- Web Crypto has no digest of a stream
  const { createHash } = await import('node:crypto')
  return () => {
    const hash = createHash('sha256')
    return { update: (bytes) => void hash.update(bytes), finish: () => hash.digest('hex') }
  }
}
