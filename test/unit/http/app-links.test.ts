// The files that associate mobile apps with the host of the API, as Apple and Google read them.
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../src/config/config.ts'
import { problemOf, productionVariables, serveApp, servicesOf } from './serve-app.ts'

const fingerprint = Array.from({ length: 32 }, (_, index) => (index + 160).toString(16)).join(':')
const ask = async (path: string, variables: Readonly<Record<string, string>> = {}): Promise<Response> =>
  await serveApp(() => servicesOf({ ...productionVariables, ...variables })).ask(`/.well-known/${path}`)
const android = {
  ANDROID_PACKAGE_NAMES: 'com.example.app, com.example.beta',
  ANDROID_CERT_FINGERPRINTS: fingerprint,
}

describe('the file apple-app-site-association', () => {
  it('lets the apps open the return path alone, as JSON without a redirect', async () => {
    const response = await ask('apple-app-site-association', {
      APPLE_APP_IDS: 'ABCDE12345.com.example.app ABCDE12345.com.example.Beta-1',
    })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^application\/json(?:;|$)/)
    expect(response.headers.get('cache-control')).toBe('public, max-age=3600')
    expect(await response.json()).toEqual({
      applinks: {
        details: [
          {
            appIDs: ['ABCDE12345.com.example.app', 'ABCDE12345.com.example.Beta-1'],
            components: [{ '/': '/connect/return' }],
          },
        ],
      },
    })
  })

  it('does not exist where the operator named no app', async () => {
    expect(await problemOf(await ask('apple-app-site-association', { APPLE_APP_IDS: '' }))).toMatchObject({
      status: 404,
    })
  })
})

describe('the file assetlinks.json', () => {
  it('is a list of one statement for each package, with fingerprints in upper case', async () => {
    const response = await ask('assetlinks.json', android)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^application\/json(?:;|$)/)
    expect(response.headers.get('cache-control')).toBe('public, max-age=3600')
    const statement = (name: string) => ({
      relation: ['delegate_permission/common.handle_all_urls'],
      target: {
        namespace: 'android_app',
        package_name: name,
        sha256_cert_fingerprints: [fingerprint.toUpperCase()],
      },
    })
    expect(await response.json()).toEqual([statement('com.example.app'), statement('com.example.beta')])
  })

  it('does not exist where the operator named no package', async () => {
    const response = await ask('assetlinks.json', { ANDROID_PACKAGE_NAMES: '', ANDROID_CERT_FINGERPRINTS: '' })
    expect(await problemOf(response)).toMatchObject({ status: 404, code: 'not_found' })
  })
})

it('each of the Android packages may open Link', () => {
  const config = parseConfig({
    ...productionVariables,
    ...android,
    PLAID_ANDROID_PACKAGES: 'com.example.app com.old.app',
  })
  expect(config.plaid.link.androidPackages).toEqual(['com.example.app', 'com.old.app', 'com.example.beta'])
})
