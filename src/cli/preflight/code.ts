// Checks of the code that would be deployed: advisories, linters, secrets, the bundle, and that its tests passed.
import { isFailure } from '../advisories.ts'
import { type Check, fail, pass, warn } from '../lib/checks.ts'
import { lastOf } from './last-of.ts'
import type { PreflightPorts } from './ports.ts'
import { testedElsewhere } from './tested-elsewhere.ts'

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
        'Run `npm run advisories` where the registry responds.',
      )
    const failures = found.filter(isFailure)
    if (failures.length === 0) return pass(`no advisory that matters (${found.length} listed)`)
    return fail(
      failures.map(({ name, severity }) => `${severity}: ${name}`).join('; '),
      'Update the package; `npm run advisories` has the particulars.',
    )
  },
}

const tests: Check<PreflightPorts> = {
  name: 'tests',
  async check(ports) {
    if (ports.tested !== null) return await testedElsewhere(ports, ports.tested)
    const { code, output } = await ports.run('npm', ['test'])
    if (code !== 0) return fail(lastOf(output) || `npm test exits with ${code}`, 'Fix what fails: `npm test`.')
    return pass(lastOf(output.split('\n').findLast((line) => /Tests/.test(line)) ?? 'npm test passed'))
  },
}

export const codeChecks: readonly Check<PreflightPorts>[] = [
  advisories,
  scriptCheck('static analysis', 'check:lint', [], 'Fix what `npm run check:lint` lists.'),
  scriptCheck(
    'secret scan',
    'secrets',
    [],
    'Remove and replace the secret: everyone who can read the repository has it.',
  ),
  scriptCheck('bundle and start-up', 'bundle', ['--', '--startup'], 'Make it smaller, or measure on a quiet machine.'),
  tests,
]
