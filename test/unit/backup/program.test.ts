// What a process of `npm run backup -- create` holds before it reads a row.
import { readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { expect, it } from 'vitest'
import packageJson from '../../../package.json' with { type: 'json' }
import { backupProgram } from '../../../src/cli/lib/backup-program.ts'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'

const statement = /^(?:import|export)\s(?!type\b)(?:[^'";]*?\sfrom\s)?'([^']+)'/gm

/** The packages that a file loads when it starts, itself or by what it imports. */
function packagesOf(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return new Set()
  seen.add(file)
  const found = new Set<string>()
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(statement))
    if (name.startsWith('.')) for (const each of packagesOf(resolve(dirname(file), name), seen)) found.add(each)
    else if (!name.startsWith('node:')) found.add(name)
  return found
}

it('`npm run backup` starts node with the limits that its memory is measured with', () => {
  const [program = '', ...flags] = [...backupProgram].toReversed()
  const args = [...flags.toReversed(), relative(projectFolder, program)]
  expect(packageJson.scripts.backup).toBe(['node', ...args].join(' '))
})

it('`npm run backup -- create` loads three packages, not the query builder with its 130 MB', () => {
  const program = backupProgram.at(-1) ?? ''
  expect([...packagesOf(program)].toSorted()).toEqual(['age-encryption', 'pg', 'zod'])
})
