// The runbook has a page for each alarm, and each page has an alarm.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rules } from '../../../../src/monitoring/alarms/rules.ts'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'

const text = await readFile(join(projectFolder, 'docs/runbook.md'), 'utf8')
const parts = ['Symptom', 'Meaning', 'Action', 'Verification'] as const

/** The pages after the introduction: name, severity and text. */
const pages = text
  .split(/^## /m)
  .slice(1)
  .map((page) => ({ name: page.slice(0, page.indexOf('\n')), page }))
  .filter(({ name }) => name !== 'How alarms work')

describe('the runbook', () => {
  it('has one page for each alarm, and no other, in the order of the rules', () => {
    expect(pages.map(({ name }) => name)).toEqual(rules.map(({ name }) => name))
  })

  it.each(pages.map(({ name, page }) => [name, page] as const))(
    '%s has its severity and all four parts',
    (name, page) => {
      expect(page.split('\n')[2]).toBe(`_${rules.find((rule) => rule.name === name)?.severity ?? 'no alarm'}_`)
      const found = [...page.matchAll(/^- \*\*(\w+)\.\*\*/gm)].map(([, part]) => part)
      expect(found).toEqual(parts)
      const texts = parts.map((part) => page.split(`**${part}.**`)[1]?.trim() ?? '')
      expect(texts.filter((written) => written.length < 15)).toEqual([])
    },
  )
})
