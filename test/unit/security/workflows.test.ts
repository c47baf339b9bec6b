// What a pull request from a fork or a moved tag could do through the workflows.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'

const folder = join(projectFolder, '.github', 'workflows')
const names = await readdir(folder)

const permissionsSchema = z.record(z.string(), z.enum(['read', 'write', 'none']))
const stepSchema = z.object({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.looseObject({}).default({}),
  env: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
})
const workflowSchema = z.object({
  on: z.record(z.string(), z.unknown()),
  permissions: permissionsSchema,
  jobs: z.record(
    z.string(),
    z.union([
      z.object({
        'timeout-minutes': z.number(),
        permissions: permissionsSchema.default({}),
        steps: z.array(stepSchema),
      }),
      // A workflow of this repository, which is checked by itself.
      z
        .object({ uses: z.string().startsWith('./.github/workflows/'), permissions: permissionsSchema, if: z.string() })
        .transform((job) => ({ ...job, steps: [] })),
    ]),
  ),
})

const readWorkflow = async (name: string) => {
  const text = await readFile(join(folder, name), 'utf8')
  const workflow = workflowSchema.parse(parse(text))
  return { text, workflow, steps: Object.values(workflow.jobs).flatMap(({ steps }) => steps) }
}

it('there is a workflow for each commit, for each week, for each release and for each deployment', () => {
  expect(names.toSorted()).toEqual(['ci.yml', 'deploy.yml', 'release.yml', 'weekly.yml'])
})

describe.each(names)('the workflow %s', (name) => {
  it('names each action by its commit, with the version in a comment', async () => {
    const { text } = await readWorkflow(name)
    const uses = text.split('\n').filter((line) => /uses: (?!\.\/\.github\/workflows\/)/.test(line))
    expect(uses.length).toBeGreaterThan(0)
    expect(uses.filter((line) => !/uses: actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([])
  })

  it('may read the repository and nothing else, unless a job that runs none of its code writes a release', async () => {
    const { workflow } = await readWorkflow(name)
    expect(workflow.permissions).toEqual({ contents: 'read' })
    for (const { permissions, steps } of Object.values(workflow.jobs)) {
      const writes = Object.values(permissions).includes('write')
      expect(writes && steps.some(({ uses }) => uses?.startsWith('actions/checkout@'))).toBe(false)
    }
  })

  it('leaves no token in the checkout and puts no text of others into a script', async () => {
    const { workflow, steps } = await readWorkflow(name)
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))
    expect(checkouts.filter((step) => step.with['persist-credentials'] !== false)).toEqual([])
    expect(steps.filter(({ run = '' }) => run.includes('${{'))).toEqual([])
    expect(Object.keys(workflow.on)).not.toContain('pull_request_target')
    expect(Object.keys(workflow.on)).not.toContain('workflow_run')
  })
})

it('each commit is tested on every release line of Node that is maintained', async () => {
  const { text } = await readWorkflow('ci.yml')
  expect(text).toContain('node: [22, 24]')
})

it('the weekly workflow checks advisories, the whole history and staging, and fails without a result', async () => {
  const { steps } = await readWorkflow('weekly.yml')
  const commands = steps.map(({ run = '' }) => run)
  expect(commands).toContain('npm run advisories -- --require-answer')
  expect(commands).toContain('npm run secrets -- --history')
  expect(commands.some((command) => command.startsWith('npm run test:security -- --url'))).toBe(true)
})

it('each week the properties of the feed, of events and of entity tags run many new sequences', async () => {
  const { steps } = await readWorkflow('weekly.yml')
  const sequencesOf = (name: string) =>
    steps.flatMap(({ run = '', env }) => (run === `npm run test:worker -- ${name}` ? Object.values(env) : []))
  expect(sequencesOf('test/worker/events/follower.test.ts')).toEqual([1000])
  expect(sequencesOf('test/worker/http/whole-feed-property.test.ts')).toEqual([1000])
  expect(sequencesOf('test/worker/http/entity-tags-property.test.ts')).toEqual([500])
})

it('a release has a bill of materials', async () => {
  const { steps } = await readWorkflow('release.yml')
  expect(steps.some(({ run = '' }) => run.includes('npm run -s sbom > release/sbom.cdx.json'))).toBe(true)
})
