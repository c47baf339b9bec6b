// The workflows that deploy and release. test/unit/security/workflows.test.ts has what holds for all of them.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'
import { picturesFolder } from '../../support/page-review.ts'

const run = promisify(execFile)
const folder = join(projectFolder, '.github', 'workflows')
const step = z.looseObject({
  run: z.string().optional(),
  env: z.record(z.string(), z.unknown()).optional(),
})
const workflow = z.looseObject({
  jobs: z.record(z.string(), z.looseObject({ steps: z.array(step).default([]) })),
})
const read = async (name: string) => workflow.parse(parse(await readFile(join(folder, name), 'utf8')))

describe('the workflow of deployments', () => {
  it('gives secrets to the step that deploys alone', async () => {
    const { jobs } = await read('deploy.yml')
    const withSecrets = (jobs['deploy']?.steps ?? []).filter(({ env }) =>
      JSON.stringify(env ?? {}).includes('secrets.'),
    )
    expect(withSecrets.map(({ run: script }) => script?.includes('npm run deploy'))).toEqual([true])
  })

  it('deploys production from main alone', async () => {
    const { jobs } = await read('deploy.yml')
    expect(Object.values(jobs).map((job) => job['if'])).toEqual([
      "inputs.environment != 'production' || github.ref == 'refs/heads/main'",
    ])
  })

  it('is called by a push to main that ci tested, and by no pull request', async () => {
    const { jobs } = await read('ci.yml')
    expect(jobs['staging']).toMatchObject({
      needs: 'run',
      if: "github.event_name == 'push' && github.ref == 'refs/heads/main' && vars.DEPLOY_STAGING == 'true'",
      with: { environment: 'staging' },
    })
  })

  it('is never cancelled half way, also not with ci', async () => {
    expect(await read('deploy.yml')).toMatchObject({ concurrency: { 'cancel-in-progress': false } })
    expect(await read('ci.yml')).toMatchObject({
      concurrency: { 'cancel-in-progress': "${{ github.event_name == 'pull_request' }}" },
    })
  })
})

describe('the workflow of each commit', () => {
  it('keeps the pictures of all pages where the tests write them, also of a run that failed', async () => {
    const { jobs } = await read('ci.yml')
    const steps = jobs['run']?.steps ?? []
    const tests = steps.findIndex(({ run: script }) => script === '.ci/run')
    const kept = steps.findIndex((each) => String(each['uses']).startsWith('actions/upload-artifact@'))
    expect(kept).toBeGreaterThan(tests)
    expect(steps[kept]).toMatchObject({
      if: 'always() && matrix.node == 24',
      with: { name: 'screenshots', path: relative(projectFolder, picturesFolder) },
    })
  })
})

describe('the notes of a release', () => {
  let work: string
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-notes-'))
    await run('mkdir', [join(work, 'release')])
  })
  afterAll(() => rm(work, { recursive: true, force: true }))

  const notesOf = async (changelog: string, tag: string): Promise<string> => {
    const { jobs } = await read('release.yml')
    const script = jobs['build']?.steps.find(({ run: text }) => text?.includes('CHANGELOG.md'))?.run ?? ''
    await writeFile(join(work, 'CHANGELOG.md'), changelog)
    await run('bash', ['-e', '-c', script], { cwd: work, env: { ...process.env, TAG: tag } })
    return await readFile(join(work, 'release', 'notes.md'), 'utf8')
  }

  it('are its section of the changelog, and a tag without a section is no release', async () => {
    const changelog =
      '# Changelog\n\n## [Unreleased]\n\n- next\n\n## [1.2.3] - 2026-12-01\n\n- this\n\n## [1.2.2]\n\n- before\n'
    expect((await notesOf(changelog, 'v1.2.3')).trim()).toBe('- this')
    expect((await notesOf(changelog, 'v1.2.2')).trim()).toBe('- before')
    await expect(notesOf(changelog, 'v1.2')).rejects.toThrow('Command failed')
    await expect(notesOf(changelog, 'v9.9.9')).rejects.toThrow('Command failed')
  })

  it('exist for the version of package.json', async () => {
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(await readFile(join(projectFolder, 'package.json'), 'utf8')))
    const changelog = await readFile(join(projectFolder, 'CHANGELOG.md'), 'utf8')
    expect((await notesOf(changelog, `v${version}`)).trim()).not.toBe('')
  })
})
