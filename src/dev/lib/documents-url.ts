// Where readers find the documents of this checkout, so that the console links to them instead of serving them.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { projectFolder } from './project-folder.ts'

const remoteUrl = /^(?:https:\/\/|ssh:\/\/git@|git@)github\.com[/:]([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/i

/** Of `owner/name` at GitHub. */
const documentsOf = (repository: string): string => `https://github.com/${repository}/blob/HEAD/docs/`

/** Null for a remote elsewhere: the console then shows the file's name. */
export function documentsAt(remote: string): string | null {
  const repository = remoteUrl.exec(remote.trim())?.[1]
  return repository === undefined ? null : documentsOf(repository)
}

export async function documentsUrl(): Promise<string | null> {
  const named = process.env['GITHUB_REPOSITORY']
  if (named) return documentsOf(named)
  const run = promisify(execFile)('git', ['remote', 'get-url', 'origin'], { cwd: projectFolder })
  // A checkout without a remote, or files without a checkout.
  return await run.then(({ stdout }) => documentsAt(stdout)).catch(() => null)
}
