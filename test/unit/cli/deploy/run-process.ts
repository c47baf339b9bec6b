// Runs a deployment of a harness as its own process.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'
import type { Harness } from './harness.ts'

export const program = join(projectFolder, 'test', 'unit', 'cli', 'deploy', 'deploy-process.ts')

export const environmentOf = ({ fake, folder, edge }: Harness): Record<string, string | undefined> => ({
  ...process.env,
  ...fake.environment,
  DEPLOY_FOLDER: folder,
  EDGE_URL: edge.url,
})

/** Returns the signal that ended it. */
export const runKilled = (harness: Harness, more: Record<string, string> = {}) =>
  new Promise<string | null>((resolve) => {
    const env = { ...environmentOf(harness), ...more }
    const child = execFile(process.execPath, [program], { env }, () => resolve(child.signalCode))
  })
