// Citations of tests in documents: `file › title`, as a report prints a test, with the name as it stands in the source.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'

export interface Citation {
  readonly file: string
  /** The blocks around the test, and its title. */
  readonly title: string
}

export const citationsIn = (text: string): Citation[] =>
  [...text.matchAll(/`(test\/[^`]+?\.test\.ts) › ([^`]+)`/g)].map(([, file = '', title = '']) => ({ file, title }))

/** The line with this string literal, from a line on; -1 for none. */
const lineOf = (lines: readonly string[], literal: string, from: number): number =>
  lines.findIndex(
    (line, index) => index >= from && ["'", '"', '`'].some((quote) => line.includes(`${quote}${literal}${quote}`)),
  )

const depthOf = (line: string): number => line.search(/\S/)

/** Whether the source contains the blocks and the title, one inside the other. Relies on formatted sources. */
export function hasTest(source: string, title: string): boolean {
  const lines = source.split('\n')
  let from = 0
  let depth = -1
  for (const part of title.split(' › ')) {
    const found = lineOf(lines, part, from)
    const isInside = found !== -1 && lines.slice(from, found + 1).every((line) => line === '' || depthOf(line) > depth)
    if (found === -1 || (depth !== -1 && !isInside)) return false
    depth = depthOf(lines[found] ?? '')
    from = found + 1
  }
  return true
}

/** The citations of tests that do not exist. */
export async function missingTests(text: string): Promise<string[]> {
  const missing: string[] = []
  for (const { file, title } of citationsIn(text)) {
    const source = await readFile(join(projectFolder, file), 'utf8').catch(() => '')
    if (!hasTest(source, title)) missing.push(`${file} › ${title}`)
  }
  return missing
}
