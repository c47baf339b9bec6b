// Advisories, linters, secret scan, bundle, and that the tests passed for this commit.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PreflightPorts } from '../../../../src/cli/preflight/ports.ts'
import { codeChecks } from '../../../../src/cli/preflight/code.ts'
import { runInProject } from '../../../../src/cli/preflight/ports.ts'
import { json, startAnswering, type Answering } from '../../plaid/answering.ts'
import { head, resultOf, succeeds } from './ports.ts'

const check = (name: string, changed?: Partial<PreflightPorts>) => resultOf(codeChecks, name, changed)
const failing: PreflightPorts['run'] = () =>
  Promise.resolve({ code: 1, output: '\u001B[31msrc/x.ts:\u001B[0m\nit is wrong' })

describe.each([
  ['static analysis', 'npm run -s check:lint'],
  ['secret scan', 'npm run -s secrets'],
  ['bundle and start-up', 'npm run -s bundle -- --startup'],
])('%s', (name, command) => {
  it(`passes where \`${command}\` does`, async () => {
    const run = succeeds({ [command]: 'first line\nThe last line.\n' })
    expect(await check(name, { run })).toMatchObject({ status: 'pass', said: 'The last line.' })
  })

  it('fails with its output', async () => {
    expect(await check(name, { run: failing })).toMatchObject({ status: 'fail', said: 'src/x.ts: it is wrong' })
  })

  it('fails where it cannot be started', async () => {
    const run = () => runInProject('/nowhere/npm', [])
    expect(await check(name, { run })).toMatchObject({ status: 'fail', said: expect.stringContaining('ENOENT') })
  })
})

describe('the dependency audit', () => {
  const one = { name: 'left-pad', severity: 'critical', isShipped: true, because: [] } as const

  it('passes without an advisory that matters', async () => {
    const low = { ...one, severity: 'low', isShipped: false } as const
    expect(await check('dependency audit', { findAdvisories: () => Promise.resolve([low]) })).toMatchObject({
      status: 'pass',
      said: 'no advisory that matters (1 listed)',
    })
  })

  it('fails with one', async () => {
    expect(await check('dependency audit', { findAdvisories: () => Promise.resolve([one]) })).toMatchObject({
      status: 'fail',
      said: 'critical: left-pad',
    })
  })

  it('says that it knows nothing where the registry does not respond', async () => {
    const findAdvisories = () => Promise.resolve({ problem: 'ENOTFOUND' })
    expect(await check('dependency audit', { findAdvisories })).toMatchObject({
      status: 'warn',
      said: expect.stringContaining('not checked'),
    })
  })
})

describe('the tests', () => {
  let github: Answering
  beforeAll(async () => {
    github = await startAnswering()
  })
  afterAll(() => github.stop())

  const url = 'https://github.com/wealth/edge/actions/runs/42'
  const byRun = async (answer: object, status = 200) => {
    github.answer(json(JSON.stringify(answer), status))
    return await check('tests', { tested: url, shell: { GITHUB_API_URL: github.url, GITHUB_TOKEN: 'a-token' } })
  }

  it('run where no other run is named', async () => {
    const run = succeeds({ 'npm test': ' Test Files  3 passed\n      Tests  12 passed (12)\n' })
    expect(await check('tests', { tested: null, run })).toMatchObject({ status: 'pass', said: 'Tests 12 passed (12)' })
    expect(await check('tests', { tested: null, run: failing })).toMatchObject({ status: 'fail' })
  })

  it('passed where a run of this commit did, as GitHub says', async () => {
    expect(await byRun({ head_sha: head, status: 'completed', conclusion: 'success' })).toMatchObject({
      status: 'pass',
      said: `run 42 passed for ${head.slice(0, 12)}`,
    })
    expect(github.asked).toMatchObject([
      { path: '/repos/wealth/edge/actions/runs/42', headers: { authorization: 'Bearer a-token' } },
    ])
  })

  it.each([
    [
      'it tested another commit',
      { head_sha: 'f'.repeat(40), status: 'completed', conclusion: 'success' },
      200,
      'run 42 tested ffffffffffff',
    ],
    ['it failed', { head_sha: head, status: 'completed', conclusion: 'failure' }, 200, 'run 42 is failure'],
    ['it still runs', { head_sha: head, status: 'in_progress', conclusion: null }, 200, 'run 42 is in_progress'],
    ['GitHub does not show it', {}, 404, 'unknown: GitHub answers 404'],
  ])('fail where a run is named and %s', async (_what, answer, status, said) => {
    expect(await byRun(answer, status)).toMatchObject({ status: 'fail', said: expect.stringContaining(said) })
  })

  it('are only a word where a commit is named', async () => {
    expect(await check('tests')).toMatchObject({ status: 'warn', said: expect.stringContaining('by your word') })
  })

  it.each([
    ['another commit', { tested: 'f'.repeat(40) }, 'was tested, and this is'],
    ['anything else', { tested: 'yesterday' }, 'neither a run of GitHub Actions nor a commit'],
    [
      'a commit while files differ from it',
      { run: succeeds({ 'git rev-parse HEAD': head, 'git status --porcelain': ' M src/x.ts' }) },
      'files differ from the commit: 1',
    ],
    ['a commit where there is no repository', { run: failing }, 'git rev-parse HEAD'],
  ])('fail where %s is named', async (_what, changed, said) => {
    expect(await check('tests', changed)).toMatchObject({ status: 'fail', said: expect.stringContaining(said) })
  })
})

describe('a command of a check', () => {
  it('runs in the folder of the project, with its exit code and both outputs', async () => {
    const script = 'console.log(process.cwd(), process.env.EXTRA); console.error("loud"); process.exit(3)'
    expect(await runInProject(process.execPath, ['-e', script], { EXTRA: 'x' })).toEqual({
      code: 3,
      output: expect.stringMatching(/ x\nloud\n$/),
    })
  })
})
