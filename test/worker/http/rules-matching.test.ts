// Which transactions a rule matches: the same ones in a preview, in the commit of a sync and when it is applied to stored ones.
import { describe, expect, it } from 'vitest'
import { codeOf, daysAgo, linkAndSyncSmallBank, useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'
import { ruling } from './ruling.ts'

let world: World
useWorld((made) => {
  world = made
})
const { create, remove, preview, apply, add, stored } = ruling(() => world)

interface Entry {
  readonly name: string
  readonly merchant_name?: string
  readonly amount?: number
}

/** Each rule, the transactions that it matches, and some that it does not match. */
const cases: readonly (readonly [what: string, rule: object, matched: readonly Entry[], others: readonly Entry[]])[] = [
  ['letter case', { contains: 'cOfFee' }, [{ name: 'COFFEE SHOP' }, { name: 'coffee' }], [{ name: 'cof fee' }]],
  [
    'the case of other scripts',
    { contains: 'привет' },
    [{ name: 'ПРИВЕТ 5' }, { name: 'Привет' }],
    [{ name: 'приве' }],
  ],
  [
    'composed and decomposed accents alike, and no accent as one',
    { contains: 'CAFE\u0301' },
    [{ name: 'Le café noir' }, { name: 'Le cafe\u0301 noir' }],
    [{ name: 'Le cafe noir' }],
  ],
  ['an accent as a part of its letter', { contains: 'cafe' }, [{ name: 'cafeteria' }], [{ name: 'cafe\u0301' }]],
  [
    'compatibility forms',
    { contains: 'full fish' },
    [{ name: 'ＦＵＬＬ ﬁsh' }, { name: 'full\u00a0fish' }],
    [{ name: 'fullfish' }],
  ],
  ['% as text', { contains: '100%' }, [{ name: '100% wool' }], [{ name: '1000 wool' }]],
  ['_ as text', { contains: 'a_b' }, [{ name: 'xa_bx' }], [{ name: 'aXb' }]],
  ['a backslash as text', { contains: '\\' }, [{ name: 'C:\\store' }], [{ name: 'C:/store' }]],
  ['a regular expression as text', { contains: '.*' }, [{ name: 'a.*b' }], [{ name: 'anything' }]],
  ['quotes as text', { contains: `' or 1=1 --"` }, [{ name: `x' or 1=1 --"` }], [{ name: 'x or 1=1' }]],
  [
    'the merchant, and no text over the end of the name',
    { contains: 'place' },
    [{ name: 'SQ *1', merchant_name: 'A Place' }],
    [{ name: 'pla', merchant_name: 'ce' }],
  ],
  ['characters outside the first plane', { contains: '🍕' }, [{ name: 'a 🍕 pizza' }], [{ name: 'a 🍔' }]],
  [
    'amounts inclusively and exactly',
    { min_amount: '10.10', max_amount: '10.2' },
    [
      { name: 'low', amount: 10.1 },
      { name: 'high', amount: 10.2 },
    ],
    [
      { name: 'below', amount: 10.09 },
      { name: 'above', amount: 10.21 },
    ],
  ],
  [
    'amounts that a float cannot tell apart',
    { min_amount: '10.1000000000000000000000000000000000000001', max_amount: '10.2' },
    [{ name: 'more', amount: 10.11 }],
    [{ name: 'equal', amount: 10.1 }],
  ],
  [
    'money in as negative',
    { max_amount: '-0.01' },
    [
      { name: 'in', amount: -0.01 },
      { name: 'salary', amount: -2000 },
    ],
    [
      { name: 'nothing', amount: 0 },
      { name: 'out', amount: 5 },
    ],
  ],
  [
    'all conditions together',
    { contains: 'rent', min_amount: '100' },
    [{ name: 'Rent', amount: 100 }],
    [
      { name: 'Rent', amount: 99 },
      { name: 'Food', amount: 100 },
    ],
  ],
]

const entriesOf = (entries: readonly Entry[]) =>
  entries.map((entry) => ({ amount: 1, date: daysAgo(1), merchant_name: null, ...entry }))

describe('a rule compares', () => {
  it.each(cases)('%s in a preview, in a commit and when it is applied', async (what, rule, matched, others) => {
    const subject = `matching ${what}`
    const item = await linkAndSyncSmallBank(world, subject)
    const own = { ...rule, user_category: 'Ruled' }
    const entries = entriesOf([...matched, ...others])
    const expected = entries.map((_, place) => (place < matched.length ? 'Ruled' : null))
    const first = await add(subject, item, entries)
    const before = await preview(subject, own)
    const rows = await stored(subject, first)
    expect(rows.map(({ id }) => (before.data.some((row) => row.id === id) ? 'Ruled' : null))).toEqual(expected)
    expect(before).toMatchObject({ matched: matched.length, changed: matched.length, kept: 0 })
    const id = await create(subject, own)
    const second = await add(subject, item, entries)
    expect((await stored(subject, second)).map(({ userCategory }) => userCategory)).toEqual(expected)
    expect(await apply(subject)).toMatchObject({ changed: matched.length })
    expect((await stored(subject, first)).map(({ userCategory }) => userCategory)).toEqual(expected)
    await remove(subject, id)
    expect(await apply(subject)).toMatchObject({ changed: 2 * matched.length })
    expect((await stored(subject, first)).map(({ userCategory }) => userCategory)).toEqual(entries.map(() => null))
  })

  it('the account of a transaction', async () => {
    const item = await linkAndSyncSmallBank(world, 'matching account')
    const accounts = await world.sql('select id, plaid_account_id from accounts where item_id = $1 order by name', [
      item.id,
    ])
    await create('matching account', { account_id: accounts[0]?.['id'], user_category: 'Ruled' })
    const added = await add(
      'matching account',
      item,
      accounts.map((account) => ({ name: 'x', amount: 1, account_id: account['plaid_account_id'] })),
    )
    const rows = await stored('matching account', added)
    expect(rows.map(({ userCategory }) => userCategory)).toEqual(['Ruled', null])
  })
})

describe('a rule is refused', () => {
  it.each<[string, object]>([
    ['without a condition', { user_category: 'C' }],
    ['without an action', { contains: 'x' }],
    ['with an empty text', { contains: '', hidden: true }],
    ['with a text of 201 characters', { contains: 'x'.repeat(201), hidden: true }],
    ['with a category of 101 characters', { contains: 'x', user_category: 'x'.repeat(101) }],
    ['with NUL', { contains: 'a\0b', hidden: true }],
    ['with a line end', { contains: 'a\nb', hidden: true }],
    ['with an unpaired surrogate', { contains: 'a\ud800', hidden: true }],
    ['with an unpaired surrogate in the category', { contains: 'a', user_category: '\udc00' }],
    ['with a number as amount', { min_amount: 5, hidden: true }],
    ['with NaN', { min_amount: 'NaN', hidden: true }],
    ['with Infinity', { max_amount: 'Infinity', hidden: true }],
    ['with an exponent', { max_amount: '1e5', hidden: true }],
    ['with two amounts that are none', { min_amount: 'a', max_amount: 'b', hidden: true }],
    ['with an amount of 41 digits', { min_amount: '1'.repeat(41), hidden: true }],
    ['with a range that ends before it begins', { min_amount: '2', max_amount: '1.9', hidden: true }],
    ['with a negative range that ends before it begins', { min_amount: '-1', max_amount: '-1.01', hidden: true }],
    ['with an account that is no id', { account_id: 'x', hidden: true }],
    ['with an unknown account', { account_id: crypto.randomUUID(), hidden: true }],
    ['with a pattern', { contains: 'x', hidden: true, regex: '.*' }],
  ])('%s, and so is its preview', async (_, body) => {
    expect(await codeOf(create('strict', body))).toBe('validation_failed')
    expect(await codeOf(preview('strict', body))).toBe('validation_failed')
  })

  it('is not refused with a text of 200 characters, a range of one amount, and an amount of 40 digits', async () => {
    const bodies = [
      { contains: '\u{1f355}'.repeat(100), hidden: true },
      { min_amount: '-1.50', max_amount: '-1.5', user_category: 'x'.repeat(100) },
      { max_amount: '9'.repeat(40), hidden: true },
    ]
    for (const body of bodies) expect([body, await codeOf(create('strict', body))]).toEqual([body, null])
  })
})
