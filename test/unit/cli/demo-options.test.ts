// The arguments of `npm run demo`. A file that is not a custom user is reported before the stack starts.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readOptions } from '../../../src/cli/demo/options.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'custom-users-'))
})
afterEach(() => rm(folder, { recursive: true }))

const good = '{"override_accounts": [{"type": "depository", "starting_balance": 1234567890123456.10}]}'
const read = async (files: Record<string, string>) => {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return (await readOptions(['--custom-users', folder])).customUsers
}

test('--custom-users reads each .json file and ignores other files in the folder', async () => {
  const income = '{"override_identity": {}, "more": [1.10]}'
  expect(await read({ 'b.json': good, 'a.json': income, 'README.md': 'text' })).toEqual([
    { name: 'a', password: income },
    { name: 'b', password: good },
  ])
})

test.each([
  ['an account without a type', '{"override_accounts": [{"type": null}]}', 'override_accounts.0.type: '],
  [
    'a day that is none',
    '{"override_accounts": [{"type": "credit", "transactions": [{"date_transacted": "2026-02-30", "date_posted": "2026-02-01", "amount": 1, "description": "x"}]}]}',
    'override_accounts.0.transactions.0.date_transacted: must be a day',
  ],
  ['an amount as text', '{"override_accounts": [{"type": "credit", "starting_balance": "1"}]}', 'starting_balance: '],
  ['a list', '[]', 'is not a JSON object'],
  ['half of a file', '{"override_accounts": [', 'is not a JSON object'],
])('an error about --custom-users names the file with %s and what is wrong in it', async (_what, text, problem) => {
  const files = { 'good.json': good, 'blank_template.json': text }
  await expect(read(files)).rejects.toThrow(join(folder, 'blank_template.json'))
  await expect(readOptions(['--custom-users', folder])).rejects.toThrow(problem)
})
