// The options of `npm run load`: what is refused, and how much one run may send.
import { describe, expect, it } from 'vitest'
import { readLoadOptions } from '../../../../src/cli/load/options.ts'

const local = 'http://127.0.0.1:8787'

describe('the options of a load run', () => {
  it('start a local stack unless a deployment is named', () => {
    expect(readLoadOptions([], {})).toEqual({
      url: null,
      tokens: [],
      isOwn: false,
      seconds: 10,
      connections: 10,
      soakMinutes: null,
      json: false,
    })
  })

  it('take the tokens of several users, and one from the environment', () => {
    const args = ['--url', local, '--token', 'a.b.c', '--token', 'd.e.f']
    expect(readLoadOptions(args, { LOAD_TOKEN: 'g.h.i' }).tokens).toEqual(['a.b.c', 'd.e.f', 'g.h.i'])
  })

  it('ignore the token of the environment without a deployment', () => {
    expect(readLoadOptions([], { LOAD_TOKEN: 'g.h.i' }).tokens).toEqual([])
  })

  it.each([
    [['--seconds', '0']],
    [['--seconds', '301']],
    [['--seconds', '1e2']],
    [['--seconds=-5']],
    [['--seconds', '']],
    [['--connections', '0']],
    [['--connections', '101']],
    [['--connections', '10.5']],
    [['--soak', '0']],
    [['--soak', '241']],
    [['--soak', 'forever']],
    [['--token', 'a.b.c']],
    [['--i-own-this']],
    [['--url', local]],
    [['--url', local, '--token', 'two words']],
    [['--url', local, '--token', 'a\r\nhost: elsewhere']],
    [['--url', local, '--token', 'a.b.c', '--soak', '1']],
  ])('refuse %j as misuse', (args) => {
    expect(() => readLoadOptions(args, {})).toThrow(expect.objectContaining({ code: 'MISUSED' }))
  })

  it.each([
    ['--seconds', '300'],
    ['--connections', '100'],
    ['--soak', '240'],
  ])('accept the largest %s', (name, largest) => {
    expect(() => readLoadOptions([name, largest], {})).not.toThrow()
  })
})
