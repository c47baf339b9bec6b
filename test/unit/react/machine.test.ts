// The state machine of a bank's connection: every event in every state, and random sequences of events.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Item } from '@wealthnavigator/client'
import {
  type Effect,
  type Event,
  initialState,
  isBusy,
  type Purpose,
  type Saved,
  type State,
  type Step,
  transition,
} from '../../../src/react/machine.ts'

const ids = ['item-1', 'item-2'] as const
const publicToken = 'public-token-of-the-user'

const item = (id: string, status: Item['status'], action: Item['action_required'] = null): Item => ({
  id,
  plaid_item_id: `plaid-${id}`,
  institution: { id: 'ins_1', name: 'Bank' },
  status,
  status_reason: null,
  action_required: action,
  possible_duplicate: false,
  products: [],
  last_successful_update: null,
  consent_expires_at: null,
  disconnect_at: null,
  removal_at: null,
  created_at: '2026-11-30T00:00:00Z',
})

const someItem = fc.record({
  id: fc.constantFrom(...ids),
  status: fc.constantFrom<Item['status'][]>('initializing', 'healthy', 'needs_update', 'revoked'),
  action: fc.constantFrom<Item['action_required'][]>(null, 'update', 'add_accounts'),
})
const items = someItem.map(({ id, status, action }) => item(id, status, action))
const purposes: fc.Arbitrary<Purpose> = fc.constantFrom<Purpose[]>(
  { kind: 'link' },
  { kind: 'repair', itemId: 'item-1' },
  { kind: 'accounts', itemId: 'item-2' },
)
const modes = fc.constantFrom('link' as const, 'hosted' as const)
const known = fc.subarray([...ids])
const runs = fc.nat(4)
const failure = new Error('refused')

const saved: fc.Arbitrary<Saved> = fc.oneof(
  fc.record({
    step: fc.constant('linking' as const),
    mode: modes,
    purpose: purposes,
    linkToken: fc.constant('link-0'),
    known,
  }),
  fc.record({
    step: fc.constant('waiting' as const),
    purpose: purposes,
    itemId: fc.constantFrom(null, ...ids),
    known,
  }),
)

const events: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ type: fc.constant('start' as const), purpose: purposes, mode: modes }),
  fc.record({
    type: fc.constant('created' as const),
    run: runs,
    linkToken: fc.constantFrom('link-1', 'link-2'),
    hostedUrl: fc.constantFrom(null, 'https://hosted.example.com/1'),
    known,
  }),
  fc.record({
    type: fc.constant('succeeded' as const),
    run: runs,
    publicToken: fc.constant(publicToken),
    metadata: fc.constant({}),
  }),
  fc.record({ type: fc.constant('exited' as const), run: runs, error: fc.constantFrom(null, failure) }),
  fc.record({ type: fc.constant('returned' as const), run: runs }),
  fc.record({ type: fc.constantFrom('exchanged' as const, 'repaired' as const), run: runs, item: items }),
  fc.record({ type: fc.constant('read' as const), run: runs, item: items, isLast: fc.boolean() }),
  fc.record({ type: fc.constant('nothing' as const), run: runs }),
  fc.record({ type: fc.constant('failed' as const), run: runs, error: fc.constant(failure) }),
  fc.record({
    type: fc.constant('resumed' as const),
    saved,
    returnUrl: fc.constantFrom(null, 'https://app.example.com/?oauth_state_id=1'),
  }),
  fc.constantFrom<Event[]>({ type: 'cancel' }, { type: 'reset' }),
)

/** Plays events, each with the number of the current run as often as with another one. */
function play(sequence: readonly (readonly [Event, boolean])[]): { steps: Step[]; before: State[]; played: Event[] } {
  const steps: Step[] = []
  const before: State[] = []
  const played: Event[] = []
  let state: State = initialState
  for (const [event, isCurrent] of sequence) {
    const sent: Event = 'run' in event && isCurrent ? { ...event, run: state.run } : event
    before.push(state)
    played.push(sent)
    const step = transition(state, sent)
    steps.push(step)
    state = step.state
  }
  return { steps, before, played }
}

const sequences = fc.array(fc.tuple(events, fc.boolean()), { maxLength: 40 })
const typesOf = (effects: readonly Effect[]): string[] => effects.map(({ type }) => type)

/** What a sequence of events breaks; nothing, if a rule holds in each of its steps. */
type Rule = (step: Step, before: State, event: Event) => boolean

function expectAlways(rule: () => Rule, numRuns = 2000): void {
  const breaks = (sequence: readonly (readonly [Event, boolean])[]): number[] => {
    const { steps, before, played } = play(sequence)
    const holds = rule()
    return [...steps.entries()].flatMap(([index, step]) => {
      const [was, event] = [before[index], played[index]]
      return was === undefined || event === undefined || holds(step, was, event) ? [] : [index]
    })
  }
  fc.assert(
    fc.property(sequences, (sequence) => {
      expect(breaks(sequence)).toEqual([])
    }),
    { numRuns },
  )
}

describe('any sequence of events', () => {
  it('exchanges a public token at most once a run, and only after Link has succeeded in it', () => {
    expectAlways(() => {
      const exchanged = new Set<number>()
      return ({ effects, state }, before, event) => {
        const found = effects.filter(({ type }) => type === 'exchange')
        if (found.length === 0) return true
        const isFirst = found.length === 1 && !exchanged.has(state.run)
        exchanged.add(state.run)
        const isInLink = before.name === 'linking' && before.mode === 'link' && before.purpose.kind === 'link'
        return isFirst && isInLink && event.type === 'succeeded' && event.run === state.run
      }
    }, 5000)
  })

  it('changes nothing by events of another run', () => {
    expectAlways(
      () =>
        ({ state, effects }, before, event) =>
          !('run' in event) || event.run === before.run || (state === before && effects.length === 0),
    )
  })

  it('stores no public token and no data of the bank, and clears what is stored at each end', () => {
    expectAlways(() => {
      let stored: Saved | null = null
      return ({ state, effects }, before) => {
        for (const effect of effects) {
          if (effect.type === 'save') stored = effect.saved
          if (effect.type === 'forget') stored = null
        }
        const isClean = !/public-token|Bank|institution/.test(JSON.stringify(stored))
        const isCleared = !isBusy(before) || isBusy(state) || stored === null
        const isKept = (state.name !== 'waiting' && state.name !== 'exchanging') || stored?.step === 'waiting'
        return isClean && isCleared && isKept
      }
    })
  })

  it('ends an exchange that runs by its own result alone', () => {
    expectAlways(
      () =>
        ({ state }, before, event) =>
          before.name !== 'exchanging' ||
          state.name === 'exchanging' ||
          event.type === 'exchanged' ||
          event.type === 'failed',
    )
  })

  it('closes Link when it ends in it, and starts nothing while something runs', () => {
    expectAlways(() => ({ state, effects }, before) => {
      const types = typesOf(effects)
      const hasEnded = before.name === 'linking' && (state.name === 'cancelled' || state.name === 'failed')
      return (!hasEnded || types.includes('close_link')) && (!isBusy(before) || !types.includes('create_token'))
    })
  })

  it('says healthy only of an item that is healthy and needs nothing', () => {
    expectAlways(
      () =>
        ({ state }) =>
          state.name !== 'healthy' || (state.item.status === 'healthy' && state.item.action_required === null),
    )
  })

  it('reaches each state', () => {
    const reached = new Set<string>()
    fc.assert(
      fc.property(sequences, (sequence) => {
        for (const { state } of play(sequence).steps) reached.add(state.name)
      }),
      { numRuns: 3000, seed: 7 },
    )
    expect([...reached].toSorted()).toEqual(
      'attention cancelled creating exchanging failed healthy idle linking repairing waiting'.split(' '),
    )
  })
})

/** Plays events of the current run in order. */
const states = (...sequence: Event[]): string[] =>
  play(sequence.map((event) => [event, true] as const)).steps.map(({ state }) => state.name)

const created = (hostedUrl: string | null = null): Event => ({
  type: 'created',
  run: 0,
  linkToken: 'link-1',
  hostedUrl,
  known: ['item-1'],
})
const start = (purpose: Purpose, mode: 'link' | 'hosted' = 'link'): Event => ({ type: 'start', purpose, mode })
const succeeded: Event = { type: 'succeeded', run: 0, publicToken, metadata: {} }
const read = (id: string, status: Item['status']): Event => ({
  type: 'read',
  run: 0,
  item: item(id, status),
  isLast: false,
})
const page = 'https://hosted.example.com/1'
const returnUrl = 'https://app.example.com/?oauth_state_id=1'

describe('a flow', () => {
  it('links a bank in the page', () => {
    const exchanged: Event = { type: 'exchanged', run: 0, item: item('item-2', 'initializing') }
    expect(states(start({ kind: 'link' }), created(), succeeded, exchanged, read('item-2', 'healthy'))).toEqual([
      'creating',
      'linking',
      'exchanging',
      'waiting',
      'healthy',
    ])
  })

  it('repairs a login, and adds accounts, without an exchange', () => {
    for (const kind of ['repair', 'accounts'] as const) {
      const repaired: Event = { type: 'repaired', run: 0, item: item('item-1', 'healthy') }
      expect(states(start({ kind, itemId: 'item-1' }), created(), succeeded, repaired)).toEqual([
        'creating',
        'linking',
        'repairing',
        'healthy',
      ])
    }
  })

  it('waits for the check of a repair, and ends with what the item still requires when the time has passed', () => {
    const broken = item('item-1', 'needs_update', 'update')
    const repairing = [start({ kind: 'repair', itemId: 'item-1' }), created(), succeeded] as const
    const repaired: Event = { type: 'repaired', run: 0, item: broken }
    const still: Event = { type: 'read', run: 0, item: broken, isLast: false }
    expect(states(...repairing, repaired, still, read('item-1', 'healthy')).slice(3)).toEqual([
      'waiting',
      'waiting',
      'healthy',
    ])
    expect(states(...repairing, repaired, { ...still, isLast: true }).slice(3)).toEqual(['waiting', 'attention'])
  })

  it('links a bank on a page of Plaid, and finds the item that was not there before', () => {
    expect(
      states(
        start({ kind: 'link' }, 'hosted'),
        created(page),
        read('item-1', 'healthy'),
        { type: 'returned', run: 0 },
        read('item-1', 'healthy'),
        read('item-2', 'initializing'),
        read('item-2', 'healthy'),
      ),
    ).toEqual(['creating', 'linking', 'linking', 'waiting', 'waiting', 'waiting', 'healthy'])
  })

  it('ends as cancelled when the user comes back from the page of Plaid without a bank', () => {
    const returned: Event[] = [
      { type: 'returned', run: 0 },
      { type: 'nothing', run: 0 },
    ]
    expect(states(start({ kind: 'link' }, 'hosted'), created(page), ...returned).at(-1)).toBe('cancelled')
  })

  it('continues in the same session of Link after the return from a bank', () => {
    const linking: Saved = { step: 'linking', mode: 'link', purpose: { kind: 'link' }, linkToken: 'link-1', known: [] }
    const { steps } = play([[{ type: 'resumed', saved: linking, returnUrl }, true]])
    expect(steps[0]).toMatchObject({
      state: { name: 'linking', linkToken: 'link-1' },
      effects: [{ type: 'open_link', linkToken: 'link-1', returnUrl }],
    })
    const { steps: reloaded } = play([[{ type: 'resumed', saved: linking, returnUrl: null }, true]])
    expect(reloaded[0]).toEqual({ state: initialState, effects: [{ type: 'forget' }] })
  })

  it('looks for the item after a reload during the exchange, and gives up if there is none', () => {
    const waiting: Saved = { step: 'waiting', purpose: { kind: 'link' }, itemId: null, known: ['item-1'] }
    const { steps } = play([[{ type: 'resumed', saved: waiting, returnUrl: null }, true]])
    expect(steps[0]?.effects).toContainEqual({ type: 'poll', run: 1, itemId: null, known: ['item-1'], givesUp: true })
  })

  it('fails with the error of Link, and can be started again under another run', () => {
    const { steps } = play(
      [
        start({ kind: 'link' }),
        created(),
        { type: 'exited', run: 0, error: failure } as const,
        start({ kind: 'link' }),
      ].map((event) => [event, true] as const),
    )
    expect(steps.map(({ state }) => [state.name, state.run])).toEqual([
      ['creating', 1],
      ['linking', 1],
      ['failed', 1],
      ['creating', 2],
    ])
  })

  it('is not cancelled while a public token is exchanged or a repair is reported, so that no bank is linked unseen', () => {
    const cancel: Event = { type: 'cancel' }
    expect(states(start({ kind: 'link' }), created(), succeeded, cancel).at(-1)).toBe('exchanging')
    expect(states(start({ kind: 'repair', itemId: 'item-1' }), created(), succeeded, cancel).at(-1)).toBe('repairing')
    expect(states(start({ kind: 'link' }), created(), cancel).at(-1)).toBe('cancelled')
  })

  it('asks for attention where the linked bank needs something else', () => {
    const exchanged: Event = { type: 'exchanged', run: 0, item: item('item-2', 'needs_update', 'update') }
    expect(states(start({ kind: 'link' }), created(), succeeded, exchanged).at(-1)).toBe('attention')
  })
})
