// Which servers may be loaded: this machine's, by what their names mean and not by how they look.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { checkServes, resolveTarget } from '../../../../src/cli/load/target.ts'

const names: Readonly<Record<string, readonly string[]>> = {
  localhost: ['127.0.0.1', '::1'],
  'api.example.com': ['203.0.113.7'],
  '127.0.0.1.example.com': ['203.0.113.7'],
  'localhost.example.com': ['203.0.113.7'],
  'both.example.com': ['127.0.0.1', '203.0.113.7'],
  'nowhere.example.com': [],
}
const lookup = (hostname: string) => Promise.resolve(names[hostname] ?? ['203.0.113.7'])

describe('a server that may be loaded', () => {
  it.each([
    ['http://127.0.0.1:8787', '127.0.0.1', 8787],
    ['http://127.5.6.7', '127.5.6.7', 80],
    ['https://[::1]:8443', '::1', 8443],
    ['http://localhost:8787', '127.0.0.1', 8787],
    // Other notations of the same address.
    ['http://0x7f000001:1', '127.0.0.1', 1],
    ['http://2130706433', '127.0.0.1', 80],
    ['http://127.1', '127.0.0.1', 80],
  ])('is at an address of this machine: %s', async (url, address, port) => {
    expect(await resolveTarget(url, false, lookup)).toMatchObject({ address, port })
  })

  it.each([
    'http://api.example.com',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://both.example.com',
    'http://203.0.113.7',
    'http://0.0.0.0:8787',
    'http://128.0.0.1',
    'http://10.0.0.1',
    'http://[::2]',
    'http://[::ffff:203.0.113.7]',
    // The number of 203.0.113.7.
    'http://0xcb007107',
    'http://127.0.0.1@api.example.com',
    'http://api.example.com#@127.0.0.1',
    'http://api.example.com\\@127.0.0.1',
    'ftp://127.0.0.1',
    'not a URL',
  ])('is not elsewhere: %s', async (url) => {
    await expect(resolveTarget(url, false, lookup)).rejects.toThrow(expect.objectContaining({ code: 'MISUSED' }))
  })

  it('is elsewhere if the operator says that it is theirs', async () => {
    expect(await resolveTarget('https://api.example.com/path', true, lookup)).toEqual({
      isTls: true,
      host: 'api.example.com',
      hostname: 'api.example.com',
      address: '203.0.113.7',
      port: 443,
    })
  })

  it('has an address', async () => {
    await expect(resolveTarget('http://nowhere.example.com', true, lookup)).rejects.toThrow('has no address')
  })

  it('is resolved once: all connections go to the address that was checked', async () => {
    const answers = [['127.0.0.1'], ['203.0.113.7']]
    const changing = () => Promise.resolve(answers.shift() ?? [])
    expect((await resolveTarget('http://changing.example.com', false, changing)).address).toBe('127.0.0.1')
    expect(answers).toHaveLength(1)
  })
})

describe('the first request', () => {
  let server: Server | undefined
  afterEach(() => void server?.close())

  async function serve(status: number, headers: Record<string, string> = {}) {
    const seen: string[] = []
    const listening = (server = createServer((request, response) => {
      seen.push(request.url ?? '')
      response.writeHead(status, headers).end()
    }))
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    const address = listening.address() as AddressInfo
    return { seen, target: await resolveTarget(`http://127.0.0.1:${address.port}`, false) }
  }

  it('passes where the deployment serves', async () => {
    const { target, seen } = await serve(200)
    await checkServes(target, AbortSignal.timeout(5000))
    expect(seen).toEqual(['/health'])
  })

  it('follows no redirect', async () => {
    const { target, seen } = await serve(301, { location: 'https://api.example.com/health' })
    await expect(checkServes(target, AbortSignal.timeout(5000))).rejects.toThrow('redirects are not followed')
    expect(seen).toEqual(['/health'])
  })

  it('fails where the deployment does not serve', async () => {
    const { target } = await serve(503)
    await expect(checkServes(target, AbortSignal.timeout(5000))).rejects.toThrow('503')
  })
})
