// The guide's table of money in and money out equals the code's.
import { join } from 'node:path'
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { type MoneyRule, moneyRules } from '../../../src/db/read/money-rules.ts'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'

const code = (names: readonly string[] | null): string =>
  names === null ? 'any' : names.map((name) => `\`${name}\``).join(', ')
const rowOf = ({ category, named, accounts, direction, counts, because }: MoneyRule): string =>
  `| ${category === 'user' ? "the user's" : "Plaid's"} | ${code(named)} | ${code(accounts)} | ${direction ?? 'any'} | ${counts ? 'yes' : 'no'} | ${because} |`

it('the rules of money in and money out are the table of the guide, row by row', async () => {
  const guide = await readFile(join(projectFolder, 'docs/api-guide.md'), 'utf8')
  const [, rest = ''] = guide.split('| whose category |')
  const [, ...rows] = (rest.split('\n\n')[0] ?? '').split('\n').slice(1)
  expect(rows).toEqual(moneyRules.map(rowOf))
})

it('the last rule of money in and money out matches every transaction', () => {
  expect(moneyRules.at(-1)).toMatchObject({ named: null, accounts: null, direction: null, category: 'plaid' })
})
