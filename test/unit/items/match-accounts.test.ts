// Whether an incoming account is a stored one with a new id: certainly, possibly, or not.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AccountTraits, KnownAccount } from '../../../src/db/records/known-accounts.ts'
import {
  matchAcrossLogins,
  type Matches,
  matchWithinLogin,
  countSharedAccounts,
} from '../../../src/items/match-accounts.ts'

const traits = (given: Partial<AccountTraits> = {}): AccountTraits => ({
  persistentAccountId: null,
  name: 'Everyday',
  officialName: null,
  mask: '1111',
  type: 'depository',
  subtype: 'checking',
  currency: 'USD',
  ...given,
})

let count = 0
const known = (given: Partial<KnownAccount> = {}): KnownAccount => {
  count += 1
  return {
    ...traits(),
    id: `account ${count}`,
    plaidAccountId: `plaid ${count}`,
    itemId: 'item',
    institutionId: 'ins_1',
    linkEpoch: 0,
    isClosed: false,
    isLost: false,
    isDuplicate: false,
    ...given,
  }
}

const said = (matches: Matches) => [...matches].map(([place, { kind, account }]) => [place, kind, account.id])

describe('the match of two accounts of one login', () => {
  it.each<[string, Partial<AccountTraits>, Partial<AccountTraits>]>([
    [
      'the persistent id, whatever else changed',
      { persistentAccountId: 'p' },
      { persistentAccountId: 'p', name: 'Other', mask: '9', subtype: 'savings' },
    ],
    ['name and mask', {}, {}],
    ['name and mask, where the bank tells no subtype any more', {}, { subtype: null }],
    ['the mask, where the bank has renamed the account', { name: 'Rainy Day' }, { name: 'Roof Fund' }],
    ['the name, where the bank tells no mask', { mask: null }, { mask: null }],
    ['the name, where the bank tells a mask from now on', { mask: null }, {}],
    ['the name in another case and with spaces', {}, { name: ' EVERYDAY ' }],
    ['the name in another form of Unicode', { name: 'Caf\u00e9' }, { name: 'Cafe\u0301' }],
  ])('%s is certain', (_title, before, after) => {
    const account = known(before)
    expect(said(matchWithinLogin([account], [traits(after)]))).toEqual([[0, 'same', account.id]])
  })

  it.each<[string, Partial<KnownAccount>, Partial<AccountTraits>]>([
    ['only its kind and currency are the same', { name: 'Old', mask: null }, { name: 'New', mask: null }],
    ['the mask is another one', { name: 'Card', mask: '1111' }, { name: 'Card', mask: '2222' }],
    [
      'the account was closed before, and has the mask alone in common',
      { name: 'Old', isClosed: true },
      { name: 'New' },
    ],
  ])('may be the same where %s', (_title, before, after) => {
    const account = known(before)
    expect(said(matchWithinLogin([account], [traits(after)]))).toEqual([[0, 'possible', account.id]])
  })

  it.each<[string, Partial<KnownAccount>, Partial<AccountTraits>]>([
    ['type', { type: 'credit' }, {}],
    ['subtype', { subtype: 'savings' }, {}],
    ['currency', { currency: 'EUR' }, {}],
    ['persistent id', { persistentAccountId: 'p' }, { persistentAccountId: 'q' }],
  ])('is another account where its %s differs', (_title, before, after) => {
    expect(said(matchWithinLogin([known(before)], [traits(after)]))).toEqual([])
  })

  it('empty text counts as null: two accounts "Savings" with the mask "" are neither distinguished nor matched with certainty', () => {
    const accounts = [known({ name: 'Savings', mask: '' }), known({ name: 'Savings', mask: '' })]
    const incoming = [traits({ name: 'Savings', mask: '' })]
    expect(said(matchWithinLogin(accounts, incoming))).toEqual([[0, 'possible', accounts[0]?.id]])
  })

  it('two accounts with one name and mask are distinguished by their other fields', () => {
    const [one, other] = [known({ officialName: 'Joint' }), known({ officialName: 'Own' })]
    const incoming = [traits({ officialName: 'Own' }), traits({ officialName: 'Joint' })]
    expect(
      new Map([...matchWithinLogin([one, other], incoming)].map(([place, { account }]) => [place, account.id])),
    ).toEqual(
      new Map([
        [0, other.id],
        [1, one.id],
      ]),
    )
  })

  it('two of one name and mask that nothing tells apart are not paired', () => {
    const matches = matchWithinLogin([known(), known()], [traits(), traits()])
    expect([...matches.values()].map(({ kind }) => kind)).toEqual(['possible', 'possible'])
    expect(new Set([...matches.values()].map(({ account }) => account.id)).size).toBe(2)
  })
})

describe('the match of two accounts of different logins', () => {
  const across = (account: KnownAccount, incoming: AccountTraits, institution: string | null = 'ins_1') =>
    said(matchAcrossLogins([account], [incoming], institution))

  it.each<[string, Partial<KnownAccount>, Partial<AccountTraits>, string | null]>([
    [
      'the persistent id, at whatever institution',
      { persistentAccountId: 'p' },
      { persistentAccountId: 'p', name: 'X', mask: null },
      'ins_2',
    ],
    ['name and mask at the same institution', {}, {}, 'ins_1'],
  ])('%s is certain', (_title, before, after, institution) => {
    const account = known(before)
    expect(across(account, traits(after), institution)).toEqual([[0, 'same', account.id]])
  })

  it.each<[string, Partial<KnownAccount>, Partial<AccountTraits>, string | null]>([
    ['name and mask at another institution', {}, {}, 'ins_2'],
    ['name and mask at an institution that Plaid does not name', {}, {}, null],
    ['the mask at the same institution', { name: 'Old' }, { name: 'New' }, 'ins_1'],
    ['the name without a mask at the same institution', { mask: null }, { mask: null }, 'ins_1'],
    ['the name without a mask, wherever', { mask: null }, { mask: null }, 'ins_2'],
    [
      'the kind of a lost item at the same institution',
      { name: 'Old', mask: null, isLost: true },
      { name: 'New' },
      'ins_1',
    ],
  ])('%s makes it possible', (_title, before, after, institution) => {
    const account = known(before)
    expect(across(account, traits(after), institution)).toEqual([[0, 'possible', account.id]])
  })

  it.each<[string, Partial<KnownAccount>, Partial<AccountTraits>, string | null]>([
    [
      'the kind alone of an account that Plaid still lists',
      { name: 'Old', mask: null },
      { name: 'New', mask: null },
      'ins_1',
    ],
    ['a name with another mask', { mask: '2222', isLost: true }, {}, 'ins_1'],
  ])('%s says nothing', (_title, before, after, institution) => {
    expect(across(known(before), traits(after), institution)).toEqual([])
  })

  it('one that is itself a second view stands for another only where that is certain, and after all others', () => {
    expect(across(known({ isDuplicate: true, mask: null }), traits())).toEqual([])
    const [first, second] = [known(), known({ isDuplicate: true })]
    expect(across(second, traits())).toEqual([[0, 'same', second.id]])
    expect([...matchAcrossLogins([second, first], [traits()], first.institutionId).values()]).toEqual([
      { kind: 'same', account: first },
    ])
  })
})

describe('whether a new link is the login of a lost item', () => {
  const joint = { name: 'Joint', mask: '9999' }
  it.each<[string, Partial<KnownAccount>[], Partial<AccountTraits>[], number]>([
    ['both accounts are listed again', [{}, joint], [joint, {}], 2],
    ['most are, and another one is new', [{}, joint, { mask: '3' }], [{}, joint, { name: 'New', mask: '4' }], 2],
    ['half of them are, and nothing else', [{}, joint], [{}], 1],
    ['one of two was renamed', [{ name: 'Old' }, joint], [{ name: 'New' }, joint], 2],
    [
      'all names are others, though the masks agree',
      [{ name: 'Old' }, { name: 'Aged', mask: '2' }],
      [{ name: 'New' }, { name: 'Young', mask: '2' }],
      0,
    ],
    [
      'closed ones do not count',
      [{}, { ...joint, isClosed: true }, { mask: '3', isClosed: true }],
      [{}, { mask: '4' }],
      1,
    ],
    ['one account is in common with another person', [{}, joint], [joint, { name: 'Spouse', mask: '3333' }], 0],
    ['a fifth of them is listed again', [{}, joint, { mask: '3' }, { mask: '4' }, { mask: '5' }], [{}], 0],
    ['names alone agree, without masks', [{ mask: null }], [{ mask: null }], 0],
    ['no account is listed', [{}], [], 0],
  ])('%s', (_title, accounts, incoming, expected) => {
    expect(countSharedAccounts(accounts.map(known), incoming.map(traits), 'ins_1')).toBe(expected)
    expect(countSharedAccounts(accounts.map(known), incoming.map(traits), 'ins_2')).toBe(0)
  })
})

const text = fc.constantFrom(null, '', 'a', 'b')
const anyTraits = fc.record({
  persistentAccountId: fc.constantFrom(null, null, null, 'p', 'q'),
  name: text,
  officialName: text,
  mask: text,
  type: fc.constantFrom('depository', 'credit'),
  subtype: fc.constantFrom(null, 'checking', 'savings'),
  currency: fc.constantFrom(null, 'USD', 'EUR'),
})
const anyKnown = fc.record({
  traits: anyTraits,
  institutionId: fc.constantFrom(null, 'ins_1', 'ins_2'),
  isClosed: fc.boolean(),
  isLost: fc.boolean(),
  isDuplicate: fc.boolean(),
})

describe('any known and incoming accounts', () => {
  const cases = fc.record({
    accounts: fc.array(
      anyKnown.map(({ traits: own, ...rest }) => known({ ...own, ...rest })),
      { maxLength: 6 },
    ),
    incoming: fc.array(anyTraits, { maxLength: 6 }),
    institutionId: fc.constantFrom(null, 'ins_1', 'ins_2'),
    order: fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
  })
  const shuffled = <Row>(rows: readonly Row[], order: readonly number[]): Row[] =>
    rows
      .map((row, index) => [order[index] ?? 0, row] as const)
      .toSorted(([one], [other]) => one - other)
      .map(([, row]) => row)

  it.each(['within', 'across'] as const)('each account is matched once at most (%s)', (where) => {
    fc.assert(
      fc.property(cases, ({ accounts, incoming, institutionId }) => {
        const matches =
          where === 'within'
            ? matchWithinLogin(accounts, incoming)
            : matchAcrossLogins(accounts, incoming, institutionId)
        const taken = [...matches.values()].map(({ account }) => account.id)
        expect(new Set(taken).size).toBe(taken.length)
      }),
    )
  })

  it.each(['within', 'across'] as const)('what is certain does not depend on the order (%s)', (where) => {
    fc.assert(
      fc.property(cases, ({ accounts, incoming, institutionId, order }) => {
        const certain = (these: readonly KnownAccount[], those: readonly AccountTraits[]) => {
          const matches =
            where === 'within' ? matchWithinLogin(these, those) : matchAcrossLogins(these, those, institutionId)
          return new Map(
            [...matches].flatMap(([place, { kind, account }]) =>
              kind === 'same' ? [[account.id, those[place]] as const] : [],
            ),
          )
        }
        expect(certain(shuffled(accounts, order), shuffled(incoming, order.slice(6)))).toEqual(
          certain(accounts, incoming),
        )
      }),
    )
  })

  it('two that clash in kind or currency are never certain but by the persistent id', () => {
    fc.assert(
      fc.property(cases, ({ accounts, incoming }) => {
        for (const [place, { kind, account }] of matchWithinLogin(accounts, incoming)) {
          const other = incoming[place]
          if (other === undefined || kind !== 'same') continue
          const clashes =
            account.type !== other.type || (account.currency ?? other.currency) !== (other.currency ?? account.currency)
          expect(!clashes || account.persistentAccountId === other.persistentAccountId).toBe(true)
        }
      }),
    )
  })
})
