// The policy that GET /privacy serves is the page in docs, with the operator's details.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'
import { policyOf, policyText, policyVersion } from '../../../src/privacy/policy.ts'

const operator = { name: 'Example $& Ltd.', contact: 'privacy@example.com' }

describe('the privacy policy', () => {
  it('is the text of docs/privacy-policy.md after its preface', async () => {
    const page = await readFile(join(projectFolder, 'docs/privacy-policy.md'), 'utf8')
    const [title, preface, ...rest] = page.split('\n\n')
    expect(preface).toMatch(/^This is the text of `GET \/privacy`/)
    expect([title, ...rest].join('\n\n')).toBe(policyText)
  })

  it('has the details of the operator, and no placeholder is left', () => {
    const text = policyOf(operator, 45)
    expect(text).toContain('Example $& Ltd. is responsible for your data.')
    expect(text).toContain('privacy@example.com')
    expect(text).toContain('deleted 45 days later')
    expect(text).toMatch(new RegExp(`\nVersion ${policyVersion}\n$`))
    expect(text).not.toMatch(/[{}]/)
  })
})
