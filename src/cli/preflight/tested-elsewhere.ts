// Whether the commit that would be deployed was tested elsewhere: by a run of CI, or by the operator's word.
import * as z from 'zod'
import { ask, jsonOf } from '../lib/ask.ts'
import { fail, pass, type Verdict, warn } from '../lib/checks.ts'
import { lastOf } from './last-of.ts'
import type { PreflightPorts } from './ports.ts'

/** The only workflow that runs all tests on each commit. */
const testWorkflow = '.github/workflows/ci.yml'

async function gitLine({ run }: PreflightPorts, args: readonly string[]): Promise<string> {
  const { code, output } = await run('git', args)
  if (code !== 0) throw new Error(`git ${args.join(' ')}: ${lastOf(output)}`)
  return output.trim()
}

const runUrl = /^https:\/\/github\.com\/([\w.-]+\/[\w.-]+)\/actions\/runs\/(\d+)(?:\/.*)?$/
const remoteUrl = /^(?:https:\/\/(?:[^/@]+@)?|ssh:\/\/git@|git@)github\.com[/:]([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/
const runSchema = z.object({
  head_sha: z.string(),
  path: z.string(),
  event: z.string(),
  status: z.string(),
  conclusion: z.string().nullable(),
})
const runTests = 'Run the tests here: omit --tested.'

/** The repository of this checkout, such as `owner/name`; null if neither GitHub Actions nor the remote names it. */
async function ownRepository(ports: PreflightPorts): Promise<string | null> {
  const named = ports.shell['GITHUB_REPOSITORY']
  if (named) return named
  const { code, output } = await ports.run('git', ['remote', 'get-url', 'origin'])
  return code === 0 ? (remoteUrl.exec(output.trim())?.[1] ?? null) : null
}

/** A run of a fork can have the same commit and a workflow that tests nothing. */
async function refuseForeignRun(ports: PreflightPorts, repository: string): Promise<Verdict | null> {
  const own = await ownRepository(ports)
  if (own === null)
    return fail(
      'the repository of this checkout is unknown, so no run can be trusted',
      `Set GITHUB_REPOSITORY to its owner/name, or: ${runTests}`,
    )
  // GitHub does not distinguish case in these names.
  if (own.toLowerCase() === repository.toLowerCase()) return null
  return fail(`the run is of ${repository}, and this is ${own}`, runTests)
}

async function testedByRun(ports: PreflightPorts, repository: string, id: string, head: string): Promise<Verdict> {
  const foreign = await refuseForeignRun(ports, repository)
  if (foreign !== null) return foreign
  const api = ports.shell['GITHUB_API_URL'] || 'https://api.github.com'
  const token = ports.shell['GITHUB_TOKEN']
  const answer = await ask(`${api}/repos/${repository}/actions/runs/${id}`, {
    headers: {
      accept: 'application/vnd.github+json',
      'user-agent': 'wealthnavigator-edge',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
  })
  const { data } = runSchema.safeParse(jsonOf(answer))
  if (answer.status !== 200 || data === undefined)
    return fail(`unknown: GitHub returns ${answer.status} for run ${id}`, `Give GITHUB_TOKEN, or: ${runTests}`)
  // GitHub may add the branch: `.github/workflows/ci.yml@main`.
  if (data.path.split('@')[0] !== testWorkflow)
    return fail(`run ${id} is of ${data.path}, not of ${testWorkflow}`, `Name a run of ci, or: ${runTests}`)
  // A run for a pull request tests a merge of the commit, and its workflow can come from the pull request.
  if (data.event !== 'push')
    return fail(`run ${id} began with ${data.event}, not with a push of the commit`, `Name that run, or: ${runTests}`)
  if (data.head_sha !== head)
    return fail(`run ${id} tested ${data.head_sha.slice(0, 12)}, and this is ${head.slice(0, 12)}`, runTests)
  if (data.conclusion !== 'success')
    return fail(`run ${id} is ${data.conclusion ?? data.status}`, 'Wait for it, or fix what fails.')
  return pass(`run ${id} passed for ${head.slice(0, 12)}`)
}

/** @param named the URL of a run of GitHub Actions, or a commit */
export async function testedElsewhere(ports: PreflightPorts, named: string): Promise<Verdict> {
  const head = await gitLine(ports, ['rev-parse', 'HEAD'])
  const changes = await gitLine(ports, ['status', '--porcelain'])
  if (changes !== '')
    return fail(`files differ from the commit: ${changes.split('\n').length}`, 'Commit them, or remove them.')
  const found = runUrl.exec(named)
  if (found?.[1] !== undefined && found[2] !== undefined) return await testedByRun(ports, found[1], found[2], head)
  if (!/^[0-9a-f]{7,40}$/.test(named))
    return fail(`--tested ${named} is neither a run of GitHub Actions nor a commit`, runTests)
  if (!head.startsWith(named)) return fail(`${named} was tested, and this is ${head.slice(0, 12)}`, runTests)
  return warn(
    `by your word: ${head.slice(0, 12)} was tested elsewhere`,
    "Name the run's URL in place of the commit, and GitHub is asked.",
  )
}
