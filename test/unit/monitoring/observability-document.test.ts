// docs/observability.md names every field and every event of the code, and no other.
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'
import { logFieldNames } from '../../../src/monitoring/logger.ts'

let document = ''
const sources = new Map<string, string>()

beforeAll(async () => {
  document = await readFile(join(projectFolder, 'docs/observability.md'), 'utf8')
  for await (const path of glob('src/**/*.ts', { cwd: projectFolder }))
    if (!/^src\/(?:cli|dev)\//.test(path)) sources.set(path, await readFile(join(projectFolder, path), 'utf8'))
})

/** The first cells of the table under a heading, and the second ones. */
function table(heading: string): Map<string, string> {
  const [, after = ''] = document.split(`\n## ${heading}\n`)
  const [section = ''] = after.split('\n## ')
  return new Map(
    section
      .split('\n')
      .flatMap((line) => [...line.matchAll(/^\| `(\w+)` \| ([^|]+) \|/g)])
      .map(([, name = '', second = '']): [string, string] => [name, second.trim()]),
  )
}

/** A call of a logger, which can be any expression, with its level and its first argument. */
const call = /\b(?:log|get\('log'\))(?:\.(debug|info|warn|error)|\[([^\]]+)\])\(\s*([^{)]+)/g
const ofEvent = /'([a-z_]+)'/g

/** The events in the code with their levels; null for a level that is a variable. */
function events(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const text of sources.values())
    for (const [, level, chosen = '', argument = ''] of text.matchAll(call)) {
      // In `isLast ? 'a' : 'b'` both are events; what follows the comma is not.
      const [first = ''] = argument.split(',')
      const named =
        level === undefined ? [...chosen.matchAll(/'(debug|info|warn|error)'/g)].map(([, name = '']) => name) : [level]
      for (const [, name = ''] of first.matchAll(ofEvent))
        found.set(name, new Set([...(found.get(name) ?? []), ...named]))
    }
  return found
}

describe('docs/observability.md', () => {
  test('names every field and no other', () => {
    expect([...table('Fields').keys()].sort()).toEqual([...logFieldNames].sort())
  })

  test('names every event and no other', () => {
    const found = events()
    expect(found.size).toBeGreaterThan(90)
    expect([...table('Events').keys()].sort()).toEqual([...found.keys()].sort())
  })

  test('names the levels of every event', () => {
    const documented = table('Events')
    const wrong = [...events()].filter(([name, levels]) =>
      [...levels].some((level) => !(documented.get(name) ?? '').split(', ').includes(level)),
    )
    expect(wrong.map(([name, levels]) => `${name}: ${[...levels].join(', ')}`)).toEqual([])
  })

  test('names only fields that exist in its tables of wide events', () => {
    const [, wide = ''] = document.split('\n## Log events\n')
    const rows = (wide.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'))
    const named = rows.flatMap((row) =>
      [...(row.split('|')[3] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    )
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((name) => !logFieldNames.includes(name))).toEqual([])
  })
})

test('every field is written somewhere', () => {
  const code = [...sources].filter(([path]) => path !== join('src', 'monitoring', 'logger.ts')).map(([, text]) => text)
  const unused = logFieldNames.filter((name) => {
    const member = new RegExp(String.raw`\b${name}\b\s*[:,}]`)
    return name !== 'dropped_fields' && !code.some((text) => member.test(text))
  })
  expect(unused).toEqual([])
})
