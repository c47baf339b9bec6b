// Which client an address counts for: every spelling of an address is the same client, and text that is no address is
// not a new client.
import { isIPv4, isIPv6 } from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseIpv6 } from '../../../src/ip-address.ts'
import { clientOf, networkOf } from '../../../src/ratelimit/address.ts'

const strict = { object: 'unknown', place: 'unknown', network: null }
const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })

/** A spelling of an address: case, leading zeros, the run of zeros that is left out, an IPv4 end. */
const spelling = fc.record({
  upper: fc.boolean(),
  pad: fc.boolean(),
  dotted: fc.boolean(),
  from: fc.nat(7),
  length: fc.integer({ min: 1, max: 8 }),
})

function spell(
  address: readonly number[],
  how: { upper: boolean; pad: boolean; dotted: boolean; from: number; length: number },
) {
  const hex = address.map((group) => group.toString(16).padStart(how.pad ? 4 : 1, '0'))
  const [high = 0, low = 0] = address.slice(6)
  const octets = [high >> 8, high & 255, low >> 8, low & 255].join('.')
  const parts = how.dotted ? [...hex.slice(0, 6), octets] : hex
  const end = Math.min(how.from + how.length, how.dotted ? 6 : 8)
  const isZero = address.slice(how.from, end).every((group) => group === 0) && end > how.from
  const head = parts.slice(0, how.from).join(':')
  const text = isZero ? `${head}::${parts.slice(end).join(':')}` : parts.join(':')
  return how.upper ? text.toUpperCase() : text
}

describe('an IPv6 address', () => {
  it('is the same in every spelling', () => {
    fc.assert(
      fc.property(groups, spelling, (address, how) => {
        const text = spell(address, how)
        expect(isIPv6(text)).toBe(true)
        expect(parseIpv6(text)).toEqual(address)
      }),
      { numRuns: 1000 },
    )
  })

  it('accepts exactly what the platform parses, except zone ids', () => {
    const mutilated = fc.tuple(
      groups,
      spelling,
      fc.nat(40),
      fc.constantFrom('', ':', '::', '.', 'g', '0', ' ', '%', '1.2.3.4'),
    )
    const wrong = fc.check(
      fc.property(mutilated, ([address, how, at, what]) => {
        const text = spell(address, how)
        const changed = text.slice(0, at) + what + text.slice(at + 1)
        return (parseIpv6(changed) !== null) === (isIPv6(changed) && !changed.includes('%'))
      }),
      { numRuns: 2000 },
    )
    expect(wrong.counterexample).toBeNull()
  })

  it('is counted in the object of its /48, and there with its /64', () => {
    expect(clientOf('2001:DB8:1:2:3:4:5:6', null)).toEqual({
      object: 'ip:2001:db8:1::/48',
      place: '2001:db8:1:2::/64',
      network: '2001:db8:1::/48',
    })
    const neighbour = clientOf('2001:db8:1:2:ffff::', null)
    expect(neighbour).toEqual(clientOf('2001:db8:1:2:3:4:5:6', null))
    expect(clientOf('2001:db8:1:3::', null)).toMatchObject({ object: neighbour.object, place: '2001:db8:1:3::/64' })
    expect(clientOf('2001:db8:2:2::', null).object).not.toBe(neighbour.object)
  })

  it.each(['::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:192.0.2.1'])('%s is an IPv4 address', (text) => {
    expect(clientOf(text, null)).toEqual(clientOf('192.0.2.1', null))
  })

  it.each(['::192.0.2.1', '::ffff:0:192.0.2.1', '64:ff9b::192.0.2.1', '::1:ffff:c000:201'])('%s is none', (text) => {
    expect(clientOf(text, null).network).not.toBeNull()
  })
})

describe('an IPv4 address', () => {
  it('is a separate client', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        expect(clientOf(text, null)).toEqual({ object: `ip:${text}`, place: text, network: null })
      }),
    )
  })
})

describe('what is no address', () => {
  const junk = [
    '',
    ' ',
    'unknown',
    '192.0.2',
    '192.0.2.1.1',
    '192.0.2.256',
    '192.0.02.1',
    '0x7f.0.0.1',
    '2130706433',
    '192.0.2.1 ',
    '192.0.2.1:80',
    '192.0.2.1, 192.0.2.2',
    '[2001:db8::1]',
    '2001:db8::1/64',
    '2001:db8::1, 2001:db8::2',
    'fe80::1%eth0',
    '2001:db8::1%25',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '::1.2.3',
    `${'0'.repeat(40)}::1`,
    '2001:db8::1\u0000',
  ]

  it.each(junk)('%j shares the strict bucket', (text) => {
    expect(clientOf(text, null)).toEqual(strict)
  })

  it('is also no address at all', () => {
    expect(clientOf(null, null)).toEqual(strict)
    expect(clientOf(null, 'worker.example.com')).toEqual(strict)
  })

  it('never creates two clients with the same key', () => {
    const wrong = fc.check(
      fc.property(fc.string(), (text) => {
        const mayBeOne = isIPv6(text) || isIPv4(text)
        return mayBeOne || clientOf(text, null).object === strict.object
      }),
    )
    expect(wrong.counterexample).toBeNull()
  })
})

describe('the address that all Workers share', () => {
  const shared = '2a06:98c0:3600::103'

  it('is distinguished by the zone that sends', () => {
    const one = clientOf(shared, 'one.example.com')
    expect(one).toEqual({ object: 'worker:one.example.com', place: 'one.example.com', network: null })
    expect(clientOf('2A06:98C0:3600:0:0:0:0:103', 'One.Example.com')).toEqual(one)
    expect(clientOf(shared, 'two.example.com')).not.toEqual(one)
  })

  it.each([null, '', 'a b', 'x'.repeat(300), 'a..b', 'zone\u0000'])('is strict without a valid zone: %j', (zone) => {
    expect(clientOf(shared, zone)).toEqual(strict)
  })

  it('is the only one for which the zone counts', () => {
    expect(clientOf('192.0.2.1', 'one.example.com')).toEqual(clientOf('192.0.2.1', null))
    expect(clientOf('2a06:98c0:3600::104', 'one.example.com').object).toBe('ip:2a06:98c0:3600::/48')
  })
})

describe('a client’s network', () => {
  it.each([
    ['192.0.2.77', '192.0.2.0/24'],
    ['::ffff:192.0.2.77', '192.0.2.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    [null, 'unknown'],
  ])('has, for %j, the network %j', (address, network) => {
    expect(networkOf(clientOf(address, null))).toBe(network)
  })

  it('is the zone of a Worker', () => {
    expect(networkOf(clientOf('2a06:98c0:3600::103', 'one.example.com'))).toBe('one.example.com')
  })
})
