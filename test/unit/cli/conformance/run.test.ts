import { describe, expect, it } from 'vitest'
import { type Assertion, expectEqual, expectThat, uncheckable } from '../../../../src/cli/conformance/assertion.ts'
import { runAssertions } from '../../../../src/cli/conformance/run.ts'

const assertion = (name: string, check: () => void, isSlow?: true): Assertion<null> => ({
  name,
  promise: '',
  source: '',
  certainty: 'sure',
  ...(isSlow === undefined ? {} : { isSlow }),
  check: () => Promise.resolve().then(check),
})
const choices = { slow: false, only: '', print: () => undefined, signal: new AbortController().signal }

describe('a run of assertions', () => {
  it('distinguishes passed, failed and uncheckable, and continues after each', async () => {
    const fails = () => expectEqual('status', 500, 400)
    const cannot = () => {
      throw uncheckable('no tunnel')
    }
    const list = [assertion('fails', fails), assertion('cannot', cannot), assertion('passes', () => undefined)]
    expect(await runAssertions(list, null, choices)).toEqual([
      { name: 'fails', outcome: { kind: 'failed', reason: 'status: expected 400, got 500' } },
      { name: 'cannot', outcome: { kind: 'unchecked', reason: 'no tunnel' } },
      { name: 'passes', outcome: { kind: 'passed' } },
    ])
  })

  it('leaves out slow assertions unless they are wanted, and those that --only does not name', async () => {
    const list = [assertion('a/slow', () => undefined, true), assertion('b/quick', () => undefined)]
    const names = async (slow: boolean, only: string) =>
      (await runAssertions(list, null, { ...choices, slow, only })).map(({ name }) => name)
    expect(await names(false, '')).toEqual(['b/quick'])
    expect(await names(true, '')).toEqual(['a/slow', 'b/quick'])
    expect(await names(true, 'a/')).toEqual(['a/slow'])
  })

  it('stops before the next assertion when it is asked to, and has no results', async () => {
    const stopping = new AbortController()
    const ran: string[] = []
    const list = ['first', 'second'].map((name) =>
      assertion(name, () => {
        ran.push(name)
        stopping.abort(new Error('stopped'))
      }),
    )
    await expect(runAssertions(list, null, { ...choices, signal: stopping.signal })).rejects.toThrow('stopped')
    expect(ran).toEqual(['first'])
  })

  it('prints and returns no token and no password', async () => {
    const token = 'access-sandbox-00000000-0000-0000-0000-000000000000'
    const url = 'postgres://owner:hunter2@host/db'
    const lines: string[] = []
    const list = [assertion('leaks', () => expectThat('nothing', false, { token, url }))]
    const results = await runAssertions(list, null, { ...choices, print: (line) => lines.push(line) })
    const everything = JSON.stringify([results, lines])
    expect(everything).toContain('access-sandbox-[redacted]')
    expect(everything).not.toMatch(/hunter2|00000000/)
  })
})
