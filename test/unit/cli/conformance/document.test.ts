// docs/conformance.md names the assertions that exist, and each assertion is well named.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { promised } from '../../../../src/cli/conformance.ts'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'

const document = readFileSync(join(projectFolder, 'docs', 'conformance.md'), 'utf8')
const names = promised.map(({ name }) => name)

describe('docs/conformance.md', () => {
  it('has a row for each assertion, in their order', () => {
    const rows = [...document.matchAll(/^\| `([a-z]+\/[a-z0-9-]+)` \| .* \| .* \| .* \| .* \| .* \|$/gm)]
    expect(rows.map(([, name]) => name)).toEqual(names)
  })

  it('asks the open questions by assertions that exist, and leaves none out', () => {
    const questions = document.slice(document.indexOf('## Questions'), document.indexOf('## Results'))
    const asked = [...questions.matchAll(/`((?:neon|plaid|cloudflare)\/[a-z0-9-]+)`/g)].map(([, name]) => name)
    expect(asked.filter((name) => name !== undefined && !names.includes(name))).toEqual([])
    const open = promised.filter(({ certainty }) => certainty === 'open').map(({ name }) => name)
    expect(open.filter((name) => !asked.includes(name))).toEqual([])
  })
})

describe('an assertion', () => {
  it('has a unique name that starts with its service', () => {
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => !/^(neon|plaid|cloudflare)\/[a-z0-9-]+$/.test(name))).toEqual([])
  })

  it('states its promise as a sentence and names its source', () => {
    const unstated = promised.filter(({ promise, source }) => !promise.endsWith('.') || source === '')
    expect(unstated.map(({ name }) => name)).toEqual([])
  })
})
