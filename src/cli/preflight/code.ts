// Checks of the code that would be deployed: advisories, linters, secrets, the bundle, and that its tests passed.
import * as z from 'zod'
import { isFailure } from '../advisories.ts'
import { ask, jsonOf } from '../lib/ask.ts'
import { type Check, fail, pass, type Verdict, warn } from '../lib/checks.ts'
import type { PreflightPorts } from './ports.ts'

const lastCharacters = 500
const lastOf = (output: string): string => output.trim().slice(-lastCharacters)

/** A check that runs an npm script of the project. */
const scriptCheck = (name: string, script: string, args: readonly string[], remedy: string): Check<PreflightPorts> => ({
  name,
  async check({ run }) {
    const { code, output } = await run('npm', ['run', '-s', script, ...args])
    if (code !== 0) return fail(lastOf(output) || `npm run ${script} exits with ${code}`, remedy)
    return pass(output.trim().split('\n').at(-1) || 'nothing found')
  },
})

const advisories: Check<PreflightPorts> = {
  name: 'dependency audit',
  async check({ findAdvisories }) {
    const found = await findAdvisories()
    if ('problem' in found)
      return warn(
        `not checked: the registry gave no advisories (${found.problem})`,
        'Run `npm run advisories` where the registry answers.',
      )
    const failures = found.filter(isFailure)
    if (failures.length === 0) return pass(`no advisory that matters (${found.length} listed)`)
    return fail(
      failures.map(({ name, severity }) => `${severity}: ${name}`).join('; '),
      'Update the package; `npm run advisories` has the particulars.',
    )
  },
}

async function gitLine({ run }: PreflightPorts, args: readonly string[]): Promise<string> {
  const { code, output } = await run('git', args)
  if (code !== 0) throw new Error(`git ${args.join(' ')}: ${lastOf(output)}`)
  return output.trim()
}

const runUrl = /^https:\/\/github\.com\/([\w.-]+\/[\w.-]+)\/actions\/runs\/(\d+)(?:\/.*)?$/
const runSchema = z.object({ head_sha: z.string(), status: z.string(), conclusion: z.string().nullable() })
const runTests = 'Run the tests here: leave --tested away.'

async function testedByRun(ports: PreflightPorts, repository: string, id: string, head: string): Promise<Verdict> {
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
    return fail(`unknown: GitHub answers ${answer.status} for run ${id}`, `Give GITHUB_TOKEN, or: ${runTests}`)
  if (data.head_sha !== head)
    return fail(`run ${id} tested ${data.head_sha.slice(0, 12)}, and this is ${head.slice(0, 12)}`, runTests)
  if (data.conclusion !== 'success')
    return fail(`run ${id} is ${data.conclusion ?? data.status}`, 'Wait for it, or mend what fails.')
  return pass(`run ${id} passed for ${head.slice(0, 12)}`)
}

async function tested(ports: PreflightPorts, named: string): Promise<Verdict> {
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

const tests: Check<PreflightPorts> = {
  name: 'tests',
  async check(ports) {
    if (ports.tested !== null) return await tested(ports, ports.tested)
    const { code, output } = await ports.run('npm', ['test'])
    if (code !== 0) return fail(lastOf(output) || `npm test exits with ${code}`, 'Mend what fails: `npm test`.')
    return pass(lastOf(output.split('\n').findLast((line) => /Tests/.test(line)) ?? 'npm test passed'))
  },
}

export const codeChecks: readonly Check<PreflightPorts>[] = [
  advisories,
  scriptCheck('static analysis', 'check:lint', [], 'Mend what `npm run check:lint` lists.'),
  scriptCheck('secret scan', 'secrets', [], 'Take the secret out and replace it: whoever has the repository has it.'),
  scriptCheck('bundle and start-up', 'bundle', ['--', '--startup'], 'Make it smaller, or measure on a quiet machine.'),
  tests,
]
