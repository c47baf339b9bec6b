// Imports against the table of ranks, in made-up files.
import { describe, expect, it } from 'vitest'
import { checkRanks, findCircles, findUnused, rankOf } from '../../../src/cli/ranks/check.ts'
import { ranks } from '../../../src/cli/ranks/table.ts'

const problems = (path: string, text: string): string[] =>
  checkRanks([{ path, text }]).map((each) => `${each.line}: ${each.problem}`)

describe('checkRanks', () => {
  it.each([
    ['a lower unit', 'src/sync/engine.ts', "import { a } from '../db/core/client.ts'"],
    ['its own unit', 'src/sync/engine.ts', "import { a } from './run.ts'"],
    ['a package that belongs to it', 'src/http/app.ts', "import { Hono } from 'hono'"],
    ['anything, as a tool', 'src/cli/bench.ts', "import { Client } from 'pg'"],
  ])('allows %s', (_, path, text) => {
    expect(problems(path, text)).toEqual([])
  })

  it.each([
    [
      'a higher unit',
      'src/db/core/client.ts',
      "import { a } from '../../sync/engine.ts'",
      'db/core imports sync, which is above it',
    ],
    [
      'a type of a higher unit',
      'src/items/a.ts',
      "import type { A } from '../link/a.ts'",
      'items imports link, which is above it',
    ],
    [
      'a higher unit by import()',
      'src/items/a.ts',
      "await import('../http/app.ts')",
      'items imports http, which is above it',
    ],
    [
      'an exported higher unit',
      'src/items/a.ts',
      "export { a } from '../http/app.ts'",
      'items imports http, which is above it',
    ],
    [
      'the rest of the project, as the simulator',
      'src/dev/plaid-simulator/app.ts',
      "import { a } from '../../errors.ts'",
      'plaid-simulator does not import library',
    ],
    [
      "the endpoints, as the simulator's state",
      'src/dev/plaid-simulator/state/world.ts',
      "import type { Endpoint } from '../endpoints/endpoint.ts'",
      'simulator/state imports simulator/endpoints, which is above it',
    ],
    [
      "the endpoints, as the simulator's controls",
      'src/dev/plaid-simulator/control/routes.ts',
      "import { endpoints } from '../endpoints/all.ts'",
      'simulator/control does not import simulator/endpoints',
    ],
    [
      'a command, as another command',
      'src/cli/security/target.ts',
      "import { a } from '../demo/settle.ts'",
      'cli/security does not import cli/demo',
    ],
    [
      'a tool, as the Worker',
      'src/worker.ts',
      "import { a } from './dev/lib/ports.ts'",
      'the Worker does not import src/dev/lib/ports.ts',
    ],
    ['a package of another unit', 'src/sync/engine.ts', "import { Hono } from 'hono'", 'hono belongs to src/http'],
    [
      'a package that nobody may import',
      'src/sync/engine.ts',
      "import fs from 'node:fs'",
      'the Worker does not import node:fs',
    ],
    [
      'the envelope, outside custody',
      'src/link/a.ts',
      "import { seal } from '../crypto/envelope.ts'",
      'only custody imports envelope',
    ],
    ['a file without a rank', 'src/sync/engine.ts', "import { a } from '../new/a.ts'", 'src/new/a.ts has no rank'],
  ])('refuses %s', (_, path, text, problem) => {
    expect(problems(path, `// A comment.\n${text}`)).toEqual([`2: ${problem}`])
  })

  it('takes the longest path that matches', () => {
    const names = ['src/identity/login.ts', 'src/identity/scrypt.ts', 'src/db/commit.ts'].map(
      (path) => ranks[rankOf(path)]?.name,
    )
    expect(names).toEqual(['identity', 'identity services', 'db/commit'])
  })
})

describe('findCircles', () => {
  const file = (path: string, ...targets: readonly string[]) => ({
    path,
    text: targets.map((target) => `import type { A } from './${target}'`).join('\n'),
  })

  it('finds files that import one another, each circle once', () => {
    const files = [file('a.ts', 'b.ts', 'd.ts'), file('b.ts', 'c.ts'), file('c.ts', 'a.ts'), file('d.ts', 'c.ts')]
    expect(findCircles(files)).toEqual([['a.ts', 'b.ts', 'c.ts']])
    expect(findCircles([file('a.ts', 'b.ts', 'c.ts'), file('b.ts', 'c.ts'), file('c.ts')])).toEqual([])
  })
})

describe('findUnused', () => {
  it('names each entry of the table that no file matches', () => {
    expect(findUnused([{ path: 'src/crypto/a.ts', text: '' }])).toContain('src/plaid')
  })
})
