// Where packages come from: the lock file of the project, and every way in which one could be forged.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { sourceProblems } from '../../../src/cli/lock.ts'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'

const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(projectFolder, name), 'utf8'))

it('the lock file names its packages by registry and integrity', async () => {
  const { packages } = z.object({ packages: z.record(z.string(), z.unknown()) }).parse(await read('package-lock.json'))
  expect(sourceProblems(packages, await read('package.json'))).toEqual([])
})

const good = { version: '1.0.0', integrity: 'sha512-x' }
const manifest = { dependencies: { a: '1.0.0' } }

it.each([
  ['a package without integrity', { version: '1.0.0' }, manifest],
  ['a weak digest', { ...good, integrity: 'sha1-x' }, manifest],
  ['a package over http', { ...good, resolved: 'http://registry.example/a/-/a-1.0.0.tgz' }, manifest],
  ['a package of git', { ...good, resolved: 'git+ssh://git@github.com/a/a.git#1' }, manifest],
  ['a file', { ...good, resolved: 'file:../a' }, manifest],
  ['a link', { ...good, link: true }, manifest],
  ['a link to a folder that is no workspace', { ...good, resolved: 'b', link: true }, { ...manifest, workspaces: [] }],
  ['another version', { ...good, version: '1.0.1' }, manifest],
  ['a range', good, { dependencies: { a: '^1.0.0' } }],
  ['a dependency by address', good, { devDependencies: { a: 'github:a/a' } }],
])('the lock file is refused: %s', (_what, entry, asked) => {
  expect(sourceProblems({ '': {}, 'node_modules/a': entry }, asked)).toHaveLength(1)
})

it('the lock file may name an exact package of the registry', () => {
  const entry = { ...good, resolved: 'https://registry.example/a/-/a-1.0.0.tgz' }
  expect(sourceProblems({ '': {}, 'node_modules/a': entry }, manifest)).toEqual([])
})

const workspaces = ['tools/b']
const link = { resolved: 'tools/b', link: true }

it('the lock file may name a workspace with its exact versions', () => {
  const packages = { '': {}, 'node_modules/a': good, 'node_modules/b': link, 'tools/b': manifest }
  expect(sourceProblems(packages, { ...manifest, workspaces })).toEqual([])
})

it.each([
  ['a range in a workspace', { dependencies: { a: '^1.0.0' } }, 'tools/b/package.json asks for a ^1.0.0'],
  ['another version in a workspace', { dependencies: { a: '1.0.1' } }, 'tools/b/package.json asks for a 1.0.1'],
])('the lock file is refused for a workspace: %s', (_what, workspace, problem) => {
  const packages = { '': {}, 'node_modules/a': good, 'node_modules/b': link, 'tools/b': workspace }
  expect(sourceProblems(packages, { ...manifest, workspaces })).toEqual([expect.stringContaining(problem)])
})

it('the lock file is refused if it lacks a workspace', () => {
  const problems = sourceProblems({ '': {}, 'node_modules/a': good }, { ...manifest, workspaces })
  expect(problems).toEqual(['tools/b is not in the lock file'])
})
