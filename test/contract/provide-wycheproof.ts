// Gives the tests the vectors of Project Wycheproof, which are not part of this repository. WYCHEPROOF names their folder.
// Runs once in Node for each project, because workerd reads no files.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { wycheproofFiles } from './wycheproof-files.ts'

export default function setup(project: TestProject): void {
  const folder = process.env['WYCHEPROOF']
  if (!folder) {
    process.stderr.write(
      `\nTHE TESTS WITH WYCHEPROOF DO NOT RUN: WYCHEPROOF does not name the folder of its vectors.\n\n`,
    )
    return
  }
  const texts = wycheproofFiles.map((name) => [name, readFileSync(join(folder, `${name}_test.json`), 'utf8')] as const)
  project.provide('wycheproof', Object.fromEntries(texts))
}
