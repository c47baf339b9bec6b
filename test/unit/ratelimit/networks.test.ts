import { describe, expect, it } from 'vitest'
import { canonicalAddress, canonicalNetwork } from '../../../src/ratelimit/networks.ts'

describe('a network', () => {
  it.each([
    ['192.0.2.0/24', '192.0.2.0/24'],
    ['192.0.2.7', '192.0.2.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:db8::/32', '2001:db8:0:0:0:0:0:0/32'],
    ['2001:DB8::1', '2001:db8:0:0:0:0:0:1/128'],
    ['::/0', '0:0:0:0:0:0:0:0/0'],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24'],
    ['::ffff:c000:207', '192.0.2.7/32'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
  ])('%s has the canonical form %s', (text, canonical) => {
    expect(canonicalNetwork(text)).toBe(canonical)
  })

  it.each([
    '192.0.2.1/24',
    '192.0.2.0/33',
    '192.0.2.0/024',
    '192.0.2.0/',
    '192.0.2.0/-1',
    '192.0.2/24',
    '192.0.2.00/24',
    '0xc0.0.2.0/24',
    '2001:db8::1/32',
    '2001:db8::/129',
    '::ffff:192.0.2.1/120',
    'fe80::1%eth0',
    ' 192.0.2.0/24',
    'localhost',
    '',
  ])('%j is none', (text) => {
    expect(canonicalNetwork(text)).toBeNull()
  })
})

describe('the address of a client', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:0207', '192.0.2.7'],
    ['2001:db8::1', '2001:db8:0:0:0:0:0:1'],
    ['2001:0db8:0000::0001', '2001:db8:0:0:0:0:0:1'],
  ])('%s has the canonical form %s', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical)
  })

  it('is unknown without one, for a malformed one, and for the one that all Workers share', () => {
    const unknown = [null, '', 'x', '1.2.3', '192.0.2.7, 192.0.2.8', '2a06:98c0:3600::103', '2a06:98c0:3600:0::0103']
    expect(unknown.map(canonicalAddress)).toEqual(unknown.map(() => null))
  })
})
