// The same seed and the same calls give the same ids, tokens and bank.
import { expect, test } from 'vitest'
import { type BankDesk, openDesk, readUpdate } from './bank-desk.ts'

/** Makes a day of calls and returns all generated values as text, without times of the clock. */
async function play(desk: BankDesk): Promise<string> {
  const first = await desk.link({ institution: 'ins_109511' })
  const second = await desk.link()
  const seen: unknown[] = [first, second]
  for (const { access_token, item_id } of [first, second]) {
    await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
    const changed = await desk.control(`/items/${item_id}/bank`, { add: 3, modify: 2, remove: 1, post_pending: true })
    const rotated = await desk.plaid.itemAccessTokenInvalidate({ access_token })
    seen.push(changed.text, await readUpdate(desk, rotated.data.new_access_token), rotated.data)
  }
  await desk.control('/clock', { advance_ms: 3 * 86_400_000 })
  seen.push((await desk.control('/truth')).text)
  return JSON.stringify(seen)
}

test('two simulators with one seed are alike to the letter, and a reset plays it again', async () => {
  const [left, right] = [await openDesk({ seed: 'one' }), await openDesk({ seed: 'one' })]
  const played = await play(left)
  expect(await play(right)).toBe(played)
  await left.control('/reset', {})
  expect(await play(left)).toBe(played)
})

test('another seed is another bank, and a reset can choose it', async () => {
  const [left, right] = [await openDesk({ seed: 'one' }), await openDesk({ seed: 'two' })]
  const played = await play(right)
  expect(await play(left)).not.toBe(played)
  expect((await left.control('/reset', { seed: 'two' })).body).toEqual({ seed: 'two' })
  expect(await play(left)).toBe(played)
})

test('a relink gives new ids to the same accounts and transactions', async () => {
  const desk = await openDesk()
  const [first, again] = [await desk.link(), await desk.link()]
  const accounts = async ({ access_token }: { access_token: string }) =>
    (await desk.plaid.accountsGet({ access_token })).data.accounts
  const [left, right] = [await accounts(first), await accounts(again)]
  expect(left.map(({ name, mask, balances }) => [name, mask, balances])).toEqual(
    right.map(({ name, mask, balances }) => [name, mask, balances]),
  )
  expect(left.some(({ account_id }) => right.some((other) => other.account_id === account_id))).toBe(false)
})

test('some ids differ by the case of a letter alone, and all are 37 letters and digits', async () => {
  const desk = await openDesk()
  const { item_id } = await desk.link()
  const { text } = await desk.control(`/truth?item_id=${item_id}`)
  const ids = [...new Set(Array.from(text.matchAll(/"transaction_id":"([^"]+)"/g), ([, id]) => id ?? ''))]
  expect(ids.every((id) => /^[0-9A-Za-z]{37}$/.test(id))).toBe(true)
  expect(new Set(ids.map((id) => id.toLowerCase())).size).toBeLessThan(ids.length)
})
