// Each command of the pages for an emergency is one that a test runs as it is written, or is in the list of those that cannot
// run in a test. The tests check that their commands have run; this one runs without them, and finds a new command at once.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { commandsOf, notRun } from '../support/documented-commands.ts'

const drills: Readonly<Record<string, string>> = {
  'docs/incident-response.md': 'test/e2e/compromise-drill.test.ts',
  'docs/disaster-recovery.md': 'test/e2e/recovery-drill.test.ts',
  'docs/security.md': 'test/e2e/erasure.test.ts',
  'docs/retention.md': 'test/e2e/erasure.test.ts',
  'docs/privacy.md': 'test/e2e/erasure.test.ts',
}

/** The commands of a page that no test names and no reason excuses. */
function unnamed(commands: readonly string[], test: string, excused: readonly string[]): string[] {
  return commands.filter((command) => !excused.includes(command) && !test.includes(`'${command}'`))
}

describe('the commands of a page for an emergency', () => {
  it.each(Object.entries(drills))(
    'are run as they are written, or have a reason why not: %s by %s',
    async (page, file) => {
      const commands = await commandsOf(page)
      expect(commands.length).toBeGreaterThan(1)
      const test = await readFile(join(projectFolder, file), 'utf8')
      expect(test).toContain(`'${page}'`)
      const excused = Object.keys(notRun[page] ?? {})
      expect(unnamed(commands, test, excused)).toEqual([])
      expect(excused.filter((command) => !commands.includes(command))).toEqual([])
    },
  )

  it('are missed where no test names them', () => {
    expect(unnamed(['npm run a', 'npm run b', 'npm run c'], "run('npm run a')", ['npm run b'])).toEqual(['npm run c'])
  })

  it('are excused for pages with a drill alone', () => {
    expect(Object.keys(notRun).filter((page) => !(page in drills))).toEqual([])
  })
})
