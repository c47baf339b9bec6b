// Two versions of the Worker, as during a deployment: the previous one, from the repository's history, and the current one.
import { execFile } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { buildBundle } from '../../src/dev/lib/bundle.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'

const run = promisify(execFile)
const git = async (...args: string[]): Promise<string> =>
  (await run('git', ['-C', projectFolder, ...args], { maxBuffer: 1024 * 1024 })).stdout.trim()

export interface PreviousVersion {
  /** The commit it was built from. */
  readonly commit: string
  /** Whether that is the current commit, as in a clone without history. */
  readonly isCurrent: boolean
  /** Contains its wrangler.toml. */
  readonly folder: string
  readonly bundle: string
  remove(): Promise<void>
}

/**
 * The commit of `PREVIOUS_VERSION`, or of the newest release before this commit. Where there is no release yet, the commit before
 * the newest migration: its Worker does not know the whole database. In a clone without history, the current commit.
 */
async function previousCommit(): Promise<string> {
  const chosen = process.env['PREVIOUS_VERSION']
  if (chosen) return await git('rev-parse', '--verify', `${chosen}^{commit}`)
  const head = await git('rev-parse', 'HEAD')
  const tags = (await git('tag', '--list', 'v*', '--merged', 'HEAD', '--sort=-version:refname')).split('\n')
  for (const tag of tags.filter((name) => name !== '')) {
    const released = await git('rev-parse', '--verify', `${tag}^{commit}`)
    if (released !== head) return released
  }
  if ((await git('rev-parse', '--is-shallow-repository')) === 'true') {
    process.stderr.write(
      'The clone has no history, so the previous version is the current one. Clone with --tags and all commits.\n',
    )
    return head
  }
  const newest = await git('log', '-1', '--diff-filter=A', '--format=%H', '--', 'migrations/*.sql')
  return await git('rev-parse', '--verify', `${newest}^1`)
}

/** Builds the previous version with the packages of the current one. Its folder is inside node_modules, to find them. */
export async function buildPrevious(): Promise<PreviousVersion> {
  const commit = await previousCommit()
  const folder = join(projectFolder, 'node_modules', '.cache', `previous-${commit}-${process.pid}`)
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    await mkdir(folder, { recursive: true })
    const archive = join(folder, 'source.tar')
    await git(
      'archive',
      '--output',
      archive,
      commit,
      'src',
      'drizzle',
      'migrations',
      'docs',
      'wrangler.toml',
      'package.json',
      'tsconfig.json',
    )
    await run('tar', ['-x', '-f', archive, '-C', folder])
    const { entry } = await buildBundle(join(folder, 'built'), undefined, join(folder, 'wrangler.toml'))
    return { commit, isCurrent: commit === (await git('rev-parse', 'HEAD')), folder, bundle: entry, remove }
  } catch (error) {
    await remove()
    throw error
  }
}
