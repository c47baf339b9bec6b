// Which URLs an endpoint may have, and which addresses its name may lead to.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isIpAddress, isPublicAddress } from '../../../src/events/addresses.ts'
import { parseDestination } from '../../../src/events/destination.ts'

const strict = { isDevelopment: false, ownHosts: ['api.wealth.example.com', 'db.neon.example.net'] }
const development = { ...strict, isDevelopment: true }
const isAllowed = (url: string, rules = strict): boolean => parseDestination(url, rules).ok

describe('an address', () => {
  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '10.255.255.255',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.255',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.170',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.7',
    '203.0.113.7',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:8.8.8.8',
    '::ffff:7f00:1',
    '::8.8.8.8',
    '64:ff9b::a00:1',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2001:10::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '2002:808:808::1',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    '256.1.1.1',
    '1.2.3',
    '1::2::3',
    '12345::1',
    'fe80::1%eth0',
    'example.com',
    '',
  ])('is not of the public internet: %s', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.1',
    '172.15.0.1',
    '172.32.0.1',
    '192.0.1.1',
    '223.255.255.255',
  ])('is of the public internet: %s', (address) => expect(isPublicAddress(address)).toBe(true))

  it.each(['2606:4700:4700::1111', '2a00:1450:4001:830::200e', '2001:4860:4860::8888', '2003::1', '3ffe::1'])(
    'is of the public internet in version 6: %s',
    (address) => expect(isPublicAddress(address)).toBe(true),
  )

  it('is recognized in every form of version 6', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        expect(isIpAddress(address)).toBe(true)
      }),
    )
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(isIpAddress(address)).toBe(true)
      }),
    )
    fc.assert(
      fc.property(fc.domain(), (name) => {
        expect(isIpAddress(name)).toBe(false)
      }),
    )
  })
})

describe('the URL of an endpoint', () => {
  it.each([
    'https://app.example.com/events',
    'https://app.example.com:443/events?tenant=1',
    'https://app.example.com:8443/',
    'https://xn--bcher-kva.example.com/',
    'https://bücher.example.com/',
  ])('is allowed: %s', (url) => expect(isAllowed(url)).toBe(true))

  it.each([
    ['no URL', 'app.example.com'],
    ['http', 'http://app.example.com/'],
    ['another scheme', 'ftp://app.example.com/'],
    ['a data URL', 'data:text/html,x'],
    ['a user name', 'https://user@app.example.com/'],
    ['a password', 'https://:secret@app.example.com/'],
    ['a host in the user name', 'https://app.example.com@10.0.0.1/'],
    ['a fragment', 'https://app.example.com/#x'],
    ['another port', 'https://app.example.com:22/'],
    ['the port of http', 'https://app.example.com:80/'],
    ['a high port', 'https://app.example.com:9200/'],
    ['a public address', 'https://8.8.8.8/'],
    ['a private address', 'https://10.0.0.1/'],
    ['the metadata service', 'https://169.254.169.254/latest/meta-data'],
    ['loopback as one number', 'https://2130706433/'],
    ['loopback in hexadecimal', 'https://0x7f000001/'],
    ['loopback in octal', 'https://0177.0.0.1/'],
    ['loopback, short', 'https://127.1/'],
    ['the metadata service as one number', 'https://2852039166/'],
    ['full-width digits', 'https://１２７.０.０.１/'],
    ['a dot of another script', 'https://127。0。0。1/'],
    ['percent-encoded', 'https://%31%32%37.0.0.1/'],
    ['a trailing dot', 'https://127.0.0.1./'],
    ['loopback of version 6', 'https://[::1]/'],
    ['version 4 in version 6', 'https://[::ffff:10.0.0.1]/'],
    ['NAT64', 'https://[64:ff9b::a9fe:a9fe]/'],
    ['a public address of version 6', 'https://[2606:4700::1111]/'],
    ['localhost', 'https://localhost/'],
    ['a name under localhost', 'https://app.localhost/'],
    ['localhost with a dot', 'https://localhost./'],
    ['localhost in capitals', 'https://LOCALHOST/'],
    ['a name without a dot', 'https://intranet/'],
    ['.internal', 'https://metadata.google.internal/'],
    ['.local', 'https://printer.local/'],
    ['.home.arpa', 'https://router.home.arpa/'],
    ['reverse names', 'https://1.0.0.127.in-addr.arpa/'],
    ['.lan', 'https://nas.lan/'],
    ['an onion', 'https://abcdef.onion/'],
    ['the service itself', 'https://api.wealth.example.com/api/v1/plaid/webhook'],
    ['the service itself with a dot', 'https://API.wealth.example.com./'],
    ['the database', 'https://db.neon.example.net/sql'],
    ['an empty label', 'https://app..example.com/'],
    ['too long', `https://app.example.com/${'a'.repeat(2048)}`],
  ])('is refused: %s', (_what, url) => {
    expect(isAllowed(url)).toBe(false)
    // Development adds loopback, and nothing else.
    const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(URL.parse(url)?.hostname ?? '')
    expect(isAllowed(url, development) && !isLoopback).toBe(false)
  })

  it('may be loopback in development alone, with any port', () => {
    for (const url of ['http://127.0.0.1:8790/events', 'http://localhost:3000/', 'http://[::1]:3000/']) {
      expect(isAllowed(url, development)).toBe(true)
      expect(isAllowed(url)).toBe(false)
    }
    expect(isAllowed('https://app.example.com/events', development)).toBe(false)
    expect(isAllowed('http://127.0.0.2/', development)).toBe(false)
    expect(isAllowed('http://10.0.0.1/', development)).toBe(false)
  })

  it('is refused for any IPv4 address, in any notation', () => {
    const notation = fc.constantFrom(
      (n: number) => String(n),
      (n: number) => `0x${n.toString(16)}`,
      (n: number) => `0${n.toString(8)}`,
      (n: number) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255].join('.'),
      (n: number) => [n >>> 24, n & 0xffffff].map((part) => `0x${part.toString(16)}`).join('.'),
    )
    fc.assert(
      fc.property(fc.nat(0xffffffff), notation, (address, write) => {
        expect(isAllowed(`https://${write(address)}/`)).toBe(false)
      }),
    )
  })
})
