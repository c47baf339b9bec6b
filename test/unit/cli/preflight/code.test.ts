// Advisories, linters, secret scan, bundle, and that the tests passed for this commit.
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { PreflightPorts } from '../../../../src/cli/preflight/ports.ts'
import { codeChecks } from '../../../../src/cli/preflight/code.ts'
import { secretNames } from '../../../../src/cli/lib/deployment-values.ts'
import { runInProject } from '../../../../src/cli/preflight/ports.ts'
import { json, startAnswering, type Answering } from '../../plaid/answering.ts'
import { head, resultOf, succeeds } from './ports.ts'

afterEach(() => void vi.unstubAllEnvs())

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
  const passed = {
    head_sha: head,
    path: '.github/workflows/ci.yml',
    event: 'push',
    status: 'completed',
    conclusion: 'success',
  }
  const shell = () => ({ GITHUB_API_URL: github.url, GITHUB_TOKEN: 'a-token' })
  const byRun = async (answer: object, status = 200) => {
    github.answer(json(JSON.stringify(answer), status))
    return await check('tests', { tested: url, shell: { ...shell(), GITHUB_REPOSITORY: 'Wealth/Edge' } })
  }

  it('run where no other run is named', async () => {
    const run = succeeds({ 'npm test': ' Test Files  3 passed\n      Tests  12 passed (12)\n' })
    expect(await check('tests', { tested: null, run })).toMatchObject({ status: 'pass', said: 'Tests 12 passed (12)' })
    expect(await check('tests', { tested: null, run: failing })).toMatchObject({ status: 'fail' })
  })

  it('passed where a run of this commit did, as GitHub says', async () => {
    expect(await byRun(passed)).toMatchObject({ status: 'pass', said: `run 42 passed for ${head.slice(0, 12)}` })
    expect(github.asked).toMatchObject([
      { path: '/repos/wealth/edge/actions/runs/42', headers: { authorization: 'Bearer a-token' } },
    ])
    expect(await byRun({ ...passed, path: '.github/workflows/ci.yml@main' })).toMatchObject({ status: 'pass' })
  })

  it.each([
    ['it tested another commit', { ...passed, head_sha: 'f'.repeat(40) }, 200, 'run 42 tested ffffffffffff'],
    ['it failed', { ...passed, conclusion: 'failure' }, 200, 'run 42 is failure'],
    ['it still runs', { ...passed, status: 'in_progress', conclusion: null }, 200, 'run 42 is in_progress'],
    [
      'it is of the weekly workflow',
      { ...passed, path: '.github/workflows/weekly.yml' },
      200,
      'run 42 is of .github/workflows/weekly.yml, not of .github/workflows/ci.yml',
    ],
    [
      'it is of a deployment',
      { ...passed, path: '.github/workflows/deploy.yml@main' },
      200,
      'run 42 is of .github/workflows/deploy.yml@main',
    ],
    ['it tested a pull request', { ...passed, event: 'pull_request' }, 200, 'run 42 began with pull_request'],
    ['GitHub does not show it', {}, 404, 'unknown: GitHub returns 404'],
  ])('fail where a run is named and %s', async (_what, answer, status, said) => {
    expect(await byRun(answer, status)).toMatchObject({ status: 'fail', said: expect.stringContaining(said) })
  })

  it.each([
    ['https://github.com/wealth/edge.git', 'pass'],
    ['https://github.com/Wealth/Edge', 'pass'],
    ['git@github.com:wealth/edge.git', 'pass'],
    ['ssh://git@github.com/wealth/edge.git', 'pass'],
    ['https://github.com/fork/edge.git', 'fail'],
    ['https://example.com/wealth/edge.git', 'fail'],
    ['https://example.com/github.com/wealth/edge', 'fail'],
  ])('need a run of the repository that the remote %s names: wealth/edge is a %s', async (remote, status) => {
    github.answer(json(JSON.stringify(passed)))
    const run = succeeds({
      'git rev-parse HEAD': head,
      'git status --porcelain': '',
      'git remote get-url origin': `${remote}\n`,
    })
    expect(await check('tests', { tested: url, shell: shell(), run })).toMatchObject({ status })
  })

  it('fail where a run of another repository is named, and GitHub is not asked', async () => {
    const asked = github.asked.length
    const ofFork = {
      tested: 'https://github.com/fork/edge/actions/runs/42',
      shell: { ...shell(), GITHUB_REPOSITORY: 'wealth/edge' },
    }
    expect(await check('tests', ofFork)).toMatchObject({
      status: 'fail',
      said: 'the run is of fork/edge, and this is wealth/edge',
    })
    expect(github.asked).toHaveLength(asked)
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

  it('gets no credential of the shell, but for those that it is given', async () => {
    const credentials = [
      ...secretNames,
      'MIGRATE_DATABASE_URL',
      'CLOUDFLARE_API_TOKEN',
      'CLOUDFLARE_API_KEY',
      'SMOKE_TOKEN',
      'ADMIN_TOKEN',
      'GITHUB_TOKEN',
      'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
      'SCAN_PASSWORD',
    ]
    for (const name of credentials) vi.stubEnv(name, 'not-for-children')
    vi.stubEnv('TEST_DATABASE_URL', 'postgres://localhost')
    const script = 'console.log(JSON.stringify(process.env))'
    const { output } = await runInProject(process.execPath, ['-e', script], { AUDIT_KEY: 'given' })
    const seen = JSON.parse(output)
    expect(Object.keys(seen).filter((name) => seen[name] === 'not-for-children')).toEqual([])
    expect(seen).toMatchObject({ AUDIT_KEY: 'given', TEST_DATABASE_URL: 'postgres://localhost' })
    expect(seen.PATH).toBe(process.env['PATH'])
  })
})
