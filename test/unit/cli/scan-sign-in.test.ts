// The tokens of a scan that lasts longer than one token is valid.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { credentialsOf, remoteTarget } from '../../../src/cli/security/target.ts'
import { createSignIn } from '../../../src/cli/security/sign-in.ts'

let count = 0
const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request
    .on('data', (part: Buffer) => parts.push(part))
    .on('end', () => {
      const isRight = Buffer.concat(parts).toString() === '{"email":"scan@example.com","password":"right"}'
      const answer = isRight ? { access_token: `token-${++count}` } : { title: 'no' }
      response.writeHead(isRight && request.url === '/api/v1/auth/login' ? 200 : 401).end(JSON.stringify(answer))
    })
})
let origin = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => void server.close())

it('a scan signs in once, and again before its token ends', async () => {
  let now = 0
  const token = createSignIn(origin, { email: 'scan@example.com', password: 'right' }, () => now)
  const first = await token()
  now = 4 * 60_000
  expect(await token()).toBe(first)
  now = 6 * 60_000
  expect(await token()).not.toBe(first)
})

it('a scan stops with the status when its account is refused', async () => {
  const token = createSignIn(origin, { email: 'scan@example.com', password: 'wrong' })
  await expect(token()).rejects.toThrow('refused SCAN_EMAIL: 401')
})

it('a scan of a deployment needs a token or an account', () => {
  const none = { token: undefined, adminToken: undefined, email: 'scan@example.com', password: undefined }
  expect(() => remoteTarget(origin, none)).toThrow('--url needs --token')
})

it('a scan takes its tokens from the options, else from the environment', () => {
  const environment = { SCAN_TOKEN: 'from-variable', SCAN_ADMIN_TOKEN: 'admin-variable', SCAN_EMAIL: '' }
  const none = { token: undefined, adminToken: undefined }
  expect(credentialsOf(none, environment)).toEqual({
    token: 'from-variable',
    adminToken: 'admin-variable',
    email: undefined,
    password: undefined,
  })
  expect(credentialsOf({ ...none, token: 'option' }, environment)).toMatchObject({ token: 'option' })
  expect(credentialsOf(none, { SCAN_TOKEN: '' })).toMatchObject({ token: undefined })
})
