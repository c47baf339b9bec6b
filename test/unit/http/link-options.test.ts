// Where a link token may redirect a user: the route refuses other addresses before it calls Plaid.
import { describe, expect, it } from 'vitest'
import { asUser, developmentVariables, serveApp, problemOf, servicesOf } from './serve-app.ts'

const variables = {
  ...developmentVariables,
  PLAID_ANDROID_PACKAGES: 'com.example.app, com.example.other',
  PLAID_COMPLETION_REDIRECT_URIS: 'https://app.example.com/done',
}

async function send(body: object, given: Readonly<Record<string, string>> = variables): Promise<Response> {
  const served = serveApp(() => servicesOf(given))
  const init = { method: 'POST', body: JSON.stringify(body), headers: await asUser() }
  return await served.ask('/api/v1/plaid/link/token/create', init)
}

const page = (completion_redirect_uri: string) => ({ hosted: true, hosted_link: { completion_redirect_uri } })

describe('a link token request', () => {
  it.each([
    [{ redirect_uri: 'https://app.example.com/?state=1' }, '#/redirect_uri'],
    [{ redirect_uri: 'https://app.example.com/?' }, '#/redirect_uri'],
    [{ redirect_uri: 'https://app.example.com/#here' }, '#/redirect_uri'],
    [{ redirect_uri: 'https://app.example.com/#' }, '#/redirect_uri'],
    ...[
      'https:/x',
      'https://x',
      'https://a.a.a!/',
      'https://app..example.com/',
      'https://-app.example.com/',
      `https://${'a'.repeat(64)}.example.com/`,
      'https://App.example.com/',
      'HTTPS://app.example.com/',
      'https:\\\\app.example.com/',
      'https://app.example.com:443/',
      'https://app.example.com/a/../b',
      ' https://app.example.com/',
      'https://app.example.com/\t',
      'https://192.0.2.1/',
      'https://[2001:db8::1]/',
      'https://localhost.evil/%0a ',
      'http://app.example.com/',
      'https://user@app.example.com/',
      'data:text/html,x',
    ].map((redirect_uri): [object, string] => [{ redirect_uri }, '#/redirect_uri']),
    [{ android_package_name: 'com.evil.app' }, '#/android_package_name'],
    [{ android_package_name: 'com.example.app', redirect_uri: 'https://app.example.com/' }, '#/android_package_name'],
    [{ hosted_link: {} }, '#/hosted_link'],
    [{ hosted: false, hosted_link: { is_mobile_app: true } }, '#/hosted_link'],
    [page('https://evil.example.com/done'), '#/hosted_link/completion_redirect_uri'],
    [page('https://app.example.com/done?to=evil'), '#/hosted_link/completion_redirect_uri'],
    [page('https://app.example.com/'), '#/hosted_link/completion_redirect_uri'],
    [page('com.example.app://done'), '#/hosted_link/completion_redirect_uri'],
    [{ hosted: true, hosted_link: { url_lifetime_seconds: 0 } }, '#/hosted_link/url_lifetime_seconds'],
    [{ hosted: true, hosted_link: { url_lifetime_seconds: 1_814_401 } }, '#/hosted_link/url_lifetime_seconds'],
    [{ hosted: true, hosted_link: { url_lifetime_seconds: 1.5 } }, '#/hosted_link/url_lifetime_seconds'],
    [{ hosted: true, hosted_link: { delivery_method: 'email' } }, '#/hosted_link/delivery_method'],
  ])('%j is refused at %s', async (body, pointer) => {
    const problem = await problemOf(await send(body))
    expect(problem).toMatchObject({ status: 400, code: 'validation_failed' })
    expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer])
  })

  it('is refused for every package and completion page where the operator lists none', async () => {
    const none = { ...developmentVariables, ANDROID_PACKAGE_NAMES: '', ANDROID_CERT_FINGERPRINTS: '' }
    for (const body of [{ android_package_name: 'com.example.app' }, page('https://app.example.com/done')])
      expect((await send(body, none)).status).toBe(400)
  })

  it.each([
    { android_package_name: 'com.example.other' },
    { hosted: true },
    { hosted: true, hosted_link: { is_mobile_app: true, url_lifetime_seconds: 1_814_400 } },
    { redirect_uri: 'https://app.example.com' },
    { redirect_uri: 'https://app.example.co.uk:8443/oauth/return' },
    { redirect_uri: 'https://xn--bcher-kva.example/' },
    { redirect_uri: 'http://localhost:3000/' },
    { redirect_uri: 'http://127.0.0.1:3000/done' },
    { redirect_uri: 'https://app.example.com/oauth', ...page('https://app.example.com/done') },
  ])('%j reaches the database', async (body) => {
    expect((await send(body)).status).toBe(503)
  })
})
