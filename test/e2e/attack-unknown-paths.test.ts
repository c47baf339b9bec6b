// Requests for unknown paths and methods count against the rate limit, in both modes of authentication. Only `/health`
// is not limited.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Edge, startEdge } from '../support/edge.ts'
import { type Issuer, startIssuer } from '../support/issuer.ts'

const quota = 3
const limits = { RATE_LIMITS: JSON.stringify({ global: quota, auth: quota }) }

let edge: Edge
let issuer: Issuer
let oidcUrl: string

beforeAll(async () => {
  ;[edge, issuer] = await Promise.all([startEdge({ variables: limits }), startIssuer()])
  oidcUrl = (await edge.startAnother(issuer.variables)).url
})
afterAll(() => Promise.all([edge.stop(), issuer.stop()]))

let made = 0
const freshAddress = () => `203.0.113.${(made += 1)}`

/** The statuses of one request more than the limit allows, sent one after the other from one address. */
async function statusesOf(url: string, method: string, path: string, headers = {}): Promise<number[]> {
  const address = { 'cf-connecting-ip': freshAddress() }
  const statuses: number[] = []
  for (let request = 0; request <= quota; request += 1)
    statuses.push((await edge.callTo(url)(method, path, { headers: { ...address, ...headers } })).status)
  return statuses
}

const admitted = (status: number): number[] => [...Array.from({ length: quota }, () => status), 429]

const unknown = [
  ['GET', '/api/v1/nothing'],
  ['GET', '/api/v1'],
  ['GET', '/nothing'],
  ['GET', '/'],
  ['POST', '/api/v1/plaid/nothing'],
  ['GET', '/api/v1/accounts/a/b/c/d'],
  ['DELETE', '/api/v1/auth'],
  ['GET', '/api/v1/auth/nothing'],
  ['POST', '/api/v1/auth/password/nothing'],
  ['PROPFIND', '/api/v1/nothing'],
] as const

describe.each(['builtin', 'oidc'])('a deployment with %s accounts', (mode) => {
  const url = () => (mode === 'oidc' ? oidcUrl : edge.url)

  test.each(unknown)('returns 404 for %s %s as often as the limit admits, then 429', async (method, path) => {
    expect(await statusesOf(url(), method, path)).toEqual(admitted(404))
    const authorization = `Bearer ${mode === 'oidc' ? issuer.token('user') : edge.token('user')}`
    expect(await statusesOf(url(), method, path, { authorization })).toEqual(admitted(404))
  })

  test.each([
    ['PUT', '/api/v1/accounts'],
    ['PUT', '/openapi.json'],
    ['OPTIONS', '/api/v1/transactions'],
  ])('%s %s, a method that is not there, is counted too', async (method, path) => {
    expect(await statusesOf(url(), method, path)).toEqual(admitted(method === 'OPTIONS' ? 204 : 405))
  })
})

test.each([
  ['POST', '/api/v1/auth/login'],
  ['GET', '/api/v1/auth/sessions'],
  ['DELETE', '/api/v1/auth/login'],
  ['OPTIONS', '/api/v1/auth/login'],
])('%s %s, which an issuer takes the place of, is not there as often as the limit says', async (method, path) => {
  expect(await statusesOf(oidcUrl, method, path)).toEqual(admitted(404))
})
