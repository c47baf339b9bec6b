// Every frozen vector.
import { auditVectors } from './audit.ts'
import { digestVectors } from './digests.ts'
import type { FrozenVector } from './frozen-vector.ts'
import { sealedVectors } from './sealed.ts'
import { secretKeyVectors } from './secret-key.ts'

export const frozenVectors: readonly FrozenVector[] = [
  ...sealedVectors,
  ...auditVectors,
  ...secretKeyVectors,
  ...digestVectors,
]
