// What `npm run backup` starts.
import { join } from 'node:path'
import { projectFolder } from '../../dev/lib/project-folder.ts'

/**
 * The arguments of `node`. Without the two limits V8 lets garbage grow to several times what is in use, 20 MB; the second
 * one is far above that.
 */
export const backupProgram: readonly string[] = [
  '--max-semi-space-size=2',
  '--max-old-space-size=128',
  join(projectFolder, 'src', 'cli', 'backup.ts'),
]
