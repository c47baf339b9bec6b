import { createHash } from 'node:crypto'
import type { Digest } from '../../backup/create-backup.ts'

export function startSha256(): Digest {
  const hash = createHash('sha256')
  return { update: (bytes) => void hash.update(bytes), finish: () => hash.digest('hex') }
}
