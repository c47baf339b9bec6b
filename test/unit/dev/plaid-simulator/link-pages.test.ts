// Link's pages over HTTP: each way through them, and what the application gets from it.
import { expect, test } from 'vitest'
import { type BankDesk, openDesk, openReceiver } from './bank-desk.ts'
import { atLogin, goodLogin, linkTokenFor, linkVisitor, offered } from './link-visitor.ts'

const accountsOf = async (desk: BankDesk, public_token: string) => {
  const { data } = await desk.plaid.itemPublicTokenExchange({ public_token })
  const { accounts } = (await desk.plaid.accountsGet({ access_token: data.access_token })).data
  return { ...data, accounts }
}

const sessionsOf = async (desk: BankDesk, link_token: string) =>
  (await desk.plaid.linkTokenGet({ link_token })).data.link_sessions ?? []

const eventNames = (
  events: readonly { event_name: string; event_metadata: { view_name?: string | undefined } }[] = [],
) => events.map(({ event_name, event_metadata }) => event_metadata.view_name ?? event_name)

const text = (error: string): RegExp => new RegExp(`role="alert"[^]*${error}`)

test('a user links a bank, shares two of its accounts and returns to the application, which gets webhooks and the public token', async () => {
  const desk = await openDesk()
  const receiver = await openReceiver()
  const visitor = linkVisitor(desk)
  const completion_redirect_uri = 'https://app.example.com/done'
  const { token, url } = await linkTokenFor(desk, {
    webhook: receiver.url,
    hosted_link: { completion_redirect_uri },
  })
  expect(url.startsWith(`${desk.simulator.url}/hl/`)).toBe(true)
  const first = await visitor.open(url)
  expect(first.text).toContain('Test &lt;app&gt; uses Plaid')
  await visitor.submit('consent')
  expect((await visitor.submit('bank', { institution_id: 'ins_109508' })).text).toContain(
    'Log in at First Platypus Bank',
  )
  const { all, checked } = offered((await visitor.submit('login', goodLogin)).text)
  expect([all.length > 2, checked]).toEqual([true, all])
  expect((await visitor.submit('accounts', { account: all.slice(0, 2) })).leftTo).toBe(completion_redirect_uri)

  const [added, finished, events] = await receiver.arrived(3)
  const publicToken = String(added?.body['public_token'])
  const [session] = await sessionsOf(desk, token)
  expect(finished?.body).toMatchObject({
    webhook_code: 'SESSION_FINISHED',
    status: 'SUCCESS',
    public_tokens: [publicToken],
  })
  expect(events?.body).toMatchObject({ webhook_code: 'EVENTS', link_token: token, events: session?.events })
  const results = session?.results?.item_add_results ?? []
  expect(results.map(({ public_token, accounts }) => [public_token, accounts?.length])).toEqual([[publicToken, 2]])
  expect(eventNames(session?.events)).toEqual([
    'OPEN',
    'CONSENT',
    'SELECT_INSTITUTION',
    'SELECT_INSTITUTION',
    'CREDENTIAL',
    'SUBMIT_CREDENTIALS',
    'SELECT_ACCOUNT',
    'CONNECTED',
    'HANDOFF',
  ])
  expect((await accountsOf(desk, publicToken)).accounts.length).toBe(2)
})

test('a user who does nothing for long is reported with the events so far, and can still finish', async () => {
  const desk = await openDesk({ linkAbandonedMs: 150 })
  const receiver = await openReceiver()
  const visitor = linkVisitor(desk)
  const { token, url } = await linkTokenFor(desk, { webhook: receiver.url })
  await atLogin(visitor, url)
  const [abandoned] = await receiver.arrived(1)
  const before = (await sessionsOf(desk, token))[0]?.events ?? []
  expect(abandoned?.body).toMatchObject({ webhook_code: 'EVENTS', link_token: token, events: before })
  expect((await sessionsOf(desk, token))[0]?.finished_at).toBe(null)
  const { all } = offered((await visitor.submit('login', goodLogin)).text)
  await visitor.submit('accounts', { account: all })
  const [, added, finished, events] = await receiver.arrived(4)
  expect([added, finished, events].map((each) => each?.body['webhook_code'])).toEqual([
    'ITEM_ADD_RESULT',
    'SESSION_FINISHED',
    'EVENTS',
  ])
  // Plaid sends the earlier events again.
  const after = (await sessionsOf(desk, token))[0]?.events ?? []
  expect([after.slice(0, before.length), events?.body['events']]).toEqual([before, after])
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(receiver.codes()).toHaveLength(4)
})

test('a user who continues in time is not reported as gone', async () => {
  const desk = await openDesk({ linkAbandonedMs: 400 })
  const receiver = await openReceiver()
  const visitor = linkVisitor(desk)
  const { url } = await linkTokenFor(desk, { webhook: receiver.url })
  for (let step = 0; step < 5; step += 1) {
    await visitor.open(url)
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
  expect(receiver.codes()).toEqual([])
})

test('a used, an expired, an unknown and a token of an SDK have a page that says so', async () => {
  const desk = await openDesk()
  const visitor = linkVisitor(desk)
  const { url } = await linkTokenFor(desk)
  await atLogin(visitor, url)
  const { all } = offered((await visitor.submit('login', goodLogin)).text)
  expect((await visitor.submit('accounts', { account: all })).text).toContain('Your bank is linked')
  const short = await linkTokenFor(desk, { hosted_link: { url_lifetime_seconds: 1 } })
  const plain = await linkTokenFor(desk, { hosted_link: undefined })
  await visitor.open(short.url)
  await new Promise((resolve) => setTimeout(resolve, 1_050))
  const pages = [
    await visitor.open(url),
    await visitor.open(short.url),
    await visitor.open('/hl/link-sandbox-none'),
    await visitor.open(`/hl/${plain.token}`),
  ]
  expect(pages.map((page) => [page.status, /<h1>(.*)<\/h1>/.exec(page.text)?.[1]])).toEqual([
    [410, 'This link has been used'],
    [410, 'This link has expired'],
    [404, 'This link does not exist'],
    [404, 'This link opens in the application'],
  ])
})

test('a second click on the last button leads to the same end and links nothing again', async () => {
  const desk = await openDesk()
  const visitor = linkVisitor(desk)
  const { token, url } = await linkTokenFor(desk)
  await atLogin(visitor, url)
  const { all } = offered((await visitor.submit('login', goodLogin)).text)
  const body = new URLSearchParams(all.map((id) => ['account', id]))
  const send = async () => {
    const { status, headers } = await fetch(`${url}/accounts`, { method: 'POST', body, redirect: 'manual' })
    return [status, headers.get('location')]
  }
  const end = [303, `/hl/${token}/done`]
  expect([await send(), await send()]).toEqual([end, end])
  expect((await sessionsOf(desk, token)).length).toBe(1)
  const { body: truth } = await desk.control('/truth')
  expect(truth['items']).toHaveLength(1)
})

test('a search narrows the banks, and one without a result is a point to leave at', async () => {
  const desk = await openDesk()
  const visitor = linkVisitor(desk)
  const { token, url } = await linkTokenFor(desk, { products: ['investments'] })
  await visitor.open(url)
  const all = await visitor.submit('consent')
  // Banks without the required product are not offered.
  expect([all.text.includes('Quagga Brokerage'), all.text.includes('First Gingham')]).toEqual([true, false])
  const found = await visitor.open(`${url}?q=quagga`)
  expect([found.text.includes('Quagga Brokerage'), found.text.includes('Tartan Bank')]).toEqual([true, false])
  expect((await visitor.open(`${url}?q=${encodeURIComponent('<b>')}`)).text).toContain('No bank matches “&lt;b&gt;”')
  await visitor.open(`${url}?leave`)
  await visitor.submit('exit')
  const [session] = await sessionsOf(desk, token)
  expect(session?.exit?.metadata?.status).toBe('institution_not_found')
  expect(session?.events?.filter(({ event_name }) => event_name === 'SEARCH_INSTITUTION').length).toBe(2)
})

test('a wrong password can be corrected, a locked login cannot, and leaving then reports the error', async () => {
  const desk = await openDesk()
  const receiver = await openReceiver()
  const visitor = linkVisitor(desk)
  const { token, url } = await linkTokenFor(desk, { webhook: receiver.url })
  await atLogin(visitor, url)
  expect((await visitor.submit('login', { ...goodLogin, password: 'wrong' })).text).toMatch(text('INVALID_CREDENTIALS'))
  const locked = await visitor.submit('login', { ...goodLogin, password: 'error_ITEM_LOCKED' })
  expect(locked.text).toMatch(text('ITEM_LOCKED'))
  await visitor.open(`${url}?leave`)
  expect((await visitor.submit('exit')).text).toContain('You have left Link')
  const [session] = await sessionsOf(desk, token)
  expect(session?.exit?.error?.error_code).toBe('ITEM_LOCKED')
  expect(session?.exit?.metadata?.institution?.institution_id).toBe('ins_109508')
  expect(eventNames(session?.events).slice(-6)).toEqual([
    'SUBMIT_CREDENTIALS',
    'ERROR',
    'SUBMIT_CREDENTIALS',
    'ERROR',
    'ERROR',
    'EXIT',
  ])
  const [finished] = await receiver.arrived(2)
  expect(finished?.body).toMatchObject({ webhook_code: 'SESSION_FINISHED', status: 'EXITED', public_tokens: [] })
  // The same link can be opened again.
  expect((await visitor.open(url)).status).toBe(200)
  expect((await desk.control('/truth')).body['items']).toEqual([])
})

const secondFactors: [string, string, Record<string, string>[], Record<string, string>][] = [
  ['a device', 'mfa_device', [{ answer_0: 'Text message to •••-•••-0199' }, { answer_0: '1234' }], { answer_0: 'fax' }],
  ['questions', 'mfa_questions_2_1', [{ answer_0: 'answer_0_0' }, { answer_0: 'answer_1_0' }], { answer_0: 'answer' }],
  ['a choice', 'mfa_selections', [{ answer_0: 'Yes' }], { answer_0: 'No' }],
  [
    'choices',
    'mfa_selections_1_2_3',
    [{ answer_0: 'answer_0_0_0', answer_1: 'answer_0_1_0' }],
    { answer_0: 'answer_0_0_0', answer_1: 'answer_0_1_2' },
  ],
]

test.each(secondFactors)('a second factor by %s needs the right replies', async (_name, password, rounds, wrong) => {
  const desk = await openDesk()
  const visitor = linkVisitor(desk)
  const { url } = await linkTokenFor(desk)
  await atLogin(visitor, url)
  await visitor.submit('login', { username: 'user_good', password })
  expect((await visitor.submit('mfa', wrong)).text).toMatch(text('INVALID_MFA'))
  for (const answers of rounds) await visitor.submit('mfa', answers)
  expect(visitor.seen.text).toContain('Choose your accounts')
})

test('a custom user gets the accounts of the JSON, and one that describes no bank is refused', async () => {
  const desk = await openDesk()
  const visitor = linkVisitor(desk)
  const { url } = await linkTokenFor(desk)
  await atLogin(visitor, url)
  const custom = (password: string) => visitor.submit('login', { username: 'user_custom', password })
  expect((await custom('no json')).text).toMatch(text('INVALID_CREDENTIALS'))
  expect((await custom('{"override_accounts": 5}')).text).toMatch(text('INVALID_FIELD'))
  const account = { type: 'depository', subtype: 'checking', starting_balance: 12.5, meta: { name: 'Mine & <yours>' } }
  const page = await custom(JSON.stringify({ override_accounts: [account] }))
  expect(page.text).toContain('Mine &amp; &lt;yours&gt;')
  expect(offered(page.text).all.length).toBe(1)
})

test('the user must choose an account, and cannot choose one of another bank', async () => {
  const desk = await openDesk()
  const visitor = linkVisitor(desk)
  const { url } = await linkTokenFor(desk)
  await atLogin(visitor, url)
  await visitor.submit('login', goodLogin)
  expect((await visitor.submit('accounts')).text).toMatch(text('Choose at least one account'))
  expect((await visitor.submit('accounts', { account: 'another' })).text).toMatch(text('Choose at least one account'))
})

test('a bank with OAuth asks on its own page, and the user returns linked, or having refused', async () => {
  const desk = await openDesk()
  const visitor = linkVisitor(desk)
  const { token, url } = await linkTokenFor(desk)
  await atLogin(visitor, url, 'ins_127287')
  expect((await visitor.submit('oauth')).path).toMatch(/^\/bank\//)
  expect((await visitor.submit('deny')).text).toMatch(text('ACCESS_NOT_GRANTED'))
  await visitor.submit('oauth')
  expect((await visitor.submit('login', { ...goodLogin, password: 'wrong' })).text).toMatch(text('INVALID_CREDENTIALS'))
  const { all } = offered((await visitor.submit('login', goodLogin)).text)
  expect((await visitor.submit('allow')).text).toMatch(text('Choose at least one account'))
  expect((await visitor.submit('allow', { account: all.slice(0, 1) })).text).toContain('Your bank is linked')
  const [session] = await sessionsOf(desk, token)
  expect(session?.results?.item_add_results[0]?.accounts?.length).toBe(1)
  expect(eventNames(session?.events)).toEqual(expect.arrayContaining(['OPEN_OAUTH', 'FAIL_OAUTH', 'HANDOFF']))
})

test('a return with the state of another visit is refused', async () => {
  const desk = await openDesk()
  const visitor = linkVisitor(desk)
  const { url } = await linkTokenFor(desk)
  await atLogin(visitor, url, 'ins_127287')
  await visitor.submit('oauth')
  const answer = await visitor.open(`${url}/return?oauth_state_id=another`)
  expect([answer.status, answer.text.includes('belongs to another visit')]).toEqual([400, true])
  expect((await visitor.open('/bank/another')).status).toBe(400)
  // The visit itself continues.
  expect((await visitor.open(url)).text).toContain('Continue to your bank')
})

test('an update repairs the login of the same user and keeps its accounts', async () => {
  const desk = await openDesk()
  const visitor = linkVisitor(desk)
  const { access_token, item_id } = await desk.link({ username: 'user_good' })
  await desk.control(`/items/${item_id}/bank`, { login_required: true })
  const { token, url } = await linkTokenFor(desk, { access_token })
  expect((await visitor.open(url)).text).toContain('Log in again at First Gingham Credit Union')
  await visitor.submit('consent')
  const other = await visitor.submit('login', { username: 'another', password: 'pass_good' })
  expect(other.text).toMatch(text('INVALID_UPDATED_USERNAME'))
  expect((await visitor.submit('login', goodLogin)).text).toContain('Your login works again')
  expect((await desk.post('/accounts/get', { access_token })).status).toBe(200)
  const [session] = await sessionsOf(desk, token)
  expect(session?.results?.item_add_results).toEqual([])
})

test('an update with account selection adds the new account and takes back another', async () => {
  const desk = await openDesk()
  const visitor = linkVisitor(desk)
  const { access_token, item_id } = await desk.link({ username: 'user_good' })
  const names = async () => (await desk.plaid.accountsGet({ access_token })).data.accounts.map(({ name }) => name)
  const before = await names()
  await desk.control(`/items/${item_id}/bank`, { new_account: { name: 'Brand new' } })
  expect(await names()).toEqual(before)
  const { url } = await linkTokenFor(desk, { access_token, update: { account_selection_enabled: true } })
  await visitor.open(url)
  await visitor.submit('consent')
  const { all, checked } = offered((await visitor.submit('login', goodLogin)).text)
  expect([all.length, checked.length]).toEqual([before.length + 1, before.length])
  await visitor.submit('accounts', { account: all.slice(1) })
  expect(await names()).toEqual([...before.slice(1), 'Brand new'])
})

test('a multi-item session links several banks and ends once', async () => {
  const desk = await openDesk()
  const receiver = await openReceiver()
  const visitor = linkVisitor(desk)
  const { token, url } = await linkTokenFor(desk, { webhook: receiver.url, enable_multi_item_link: true })
  for (const institution of ['ins_109508', 'ins_109509']) {
    if (institution === 'ins_109508') await atLogin(visitor, url, institution)
    else {
      await visitor.submit('another')
      await visitor.submit('bank', { institution_id: institution })
    }
    const { all } = offered((await visitor.submit('login', goodLogin)).text)
    await visitor.submit('accounts', { account: all })
  }
  expect((await visitor.submit('finish')).text).toContain('Your banks are linked')
  await receiver.arrived(4)
  expect(receiver.codes()).toEqual(['ITEM_ADD_RESULT', 'ITEM_ADD_RESULT', 'SESSION_FINISHED', 'EVENTS'])
  const sessions = await sessionsOf(desk, token)
  expect(sessions.map(({ results }) => results?.item_add_results.length)).toEqual([2])
})
