// The gate before each call of Plaid: how long it remembers, and what it does when the switch cannot be read.
import { describe, expect, it } from 'vitest'
import { createFreezeGate } from '../../../src/plaid/freeze-gate.ts'

function gateOver(states: (string | Error)[]) {
  let nowMs = 1_000_000
  const failures: unknown[] = []
  const gate = createFreezeGate({
    read: () => {
      const state = states.shift()
      if (state === undefined) throw new Error('the switch was read too often')
      return state instanceof Error ? Promise.reject(state) : Promise.resolve(state)
    },
    now: () => nowMs,
    onFailure: (error) => failures.push(error),
  })
  return { gate, failures, pass: (milliseconds: number) => void (nowMs += milliseconds), now: () => nowMs }
}

describe('the gate', () => {
  it('reads the switch once in two seconds while there is no freeze', async () => {
    const { gate, pass } = gateOver(['off', 'frozen'])
    expect(await gate.check('/item/get')).toBe('open')
    pass(1999)
    expect(await gate.check('/item/get')).toBe('open')
    pass(1)
    expect(await gate.check('/item/get')).toBe('frozen')
  })

  it('reads the switch for every call during a freeze', async () => {
    const { gate } = gateOver(['frozen', 'frozen', 'off'])
    expect(await gate.check('/item/get')).toBe('frozen')
    expect(await gate.check('/item/get')).toBe('frozen')
    expect(await gate.check('/item/get')).toBe('open')
  })

  it('does not read the switch just after a write', async () => {
    const { gate, now } = gateOver([])
    gate.noteWritten(now())
    expect(await gate.check('/item/get')).toBe('open')
  })

  it('does not take an older write for a newer one', async () => {
    const { gate, now, pass } = gateOver(['off', 'frozen'])
    expect(await gate.check('/item/get')).toBe('open')
    gate.noteWritten(now() - 5000)
    pass(1000)
    expect(await gate.check('/item/get')).toBe('open')
  })

  it('stays closed when the switch cannot be read', async () => {
    const { gate, failures } = gateOver([new Error('no database')])
    expect(await gate.check('/item/get')).toBe('unknown')
    expect(failures).toHaveLength(1)
  })

  it.each(['frozen', 'locked', 'an unknown state'])('lets nothing through in the state %s', async (state) => {
    const { gate } = gateOver([state, state])
    expect(await gate.check('/item/get')).toBe('frozen')
    expect(await gate.check('/item/access_token/invalidate')).toBe('frozen')
  })

  it('lets only rotations of access tokens through in recovery', async () => {
    const { gate } = gateOver(['recovery', 'recovery'])
    expect(await gate.check('/item/access_token/invalidate')).toBe('open')
    expect(await gate.check('/transactions/sync')).toBe('frozen')
  })
})
