// Plays what can happen to a copy: the bank changes while it reads, it is killed, its connection breaks, the API restarts, its feed
// expires. Then compares it with the lists of the API.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client, Item } from '@wealthnavigator/client'
import { type Break, type BreakingProxy, startBreakingProxy } from './breaking-proxy.ts'
import { compareCopy } from './copy-differences.ts'
import type { Stage } from './stage.ts'

interface Play {
  readonly stage: Stage
  readonly proxy: BreakingProxy
  readonly file: string
}

/** Runs the copy once. `how` breaks its requests; it can kill the copy. Resolves to the exit code. */
async function run({ stage, proxy, file }: Play, name: string, how: (kill: () => void) => Break): Promise<number> {
  const copy = stage.start('copy/copy.ts', { WN_API_URL: proxy.url, WN_USER: name, COPY: file })
  proxy.use(how(() => copy.kill()))
  return await copy.exited
}

const whole = (): Break => () => 'pass'

/** The ways in which a run of the copy breaks; each one loses its work at another place. */
const breaks: Readonly<Record<string, (kill: () => void) => Break>> = {
  'killed after the first page': (kill) => (number) => (number === 1 ? kill : 'pass'),
  'killed after the second page': (kill) => (number) => (number === 2 ? kill : 'pass'),
  'without a connection after the first page': () => (number) => (number > 1 ? 'cut' : 'pass'),
  'with each second connection cut': () => (number) => (number % 2 === 1 ? 'cut' : 'pass'),
  'with a response that ends in its middle': () => (number) => (number === 1 ? 'cut the response' : 'pass'),
}

async function change({ stage }: Play, user: Client, item: Item, round: number): Promise<void> {
  await stage.bank.change(item.plaid_item_id, '{"modify":20,"remove":5}')
  const added = `{"amount":1234567890123456.${10 + round},"name":"Round ${round}"}`
  await stage.bank.change(item.plaid_item_id, `{"add":[${added},{"amount":0.1}]}`)
  const { data } = await user.get('/api/v1/transactions', { params: { query: { limit: 500 } } })
  const [first] = data.slice(round)
  if (first === undefined) throw new Error('There are no transactions.')
  await user.patch('/api/v1/transactions/{id}', {
    params: { path: { id: first.id } },
    body: { note: `Note ${round}`, hidden: round % 2 === 0 },
  })
}

/** Updates the copy until it is equal, as long as syncs may run. A change that it has missed never comes again. */
async function expectEqual(play: Play, name: string): Promise<number> {
  const user = play.stage.user(name)
  let result = { rows: 0, different: [''] }
  await play.stage
    .until('the copy is equal', async () => {
      if ((await run(play, name, whole)) !== 0) throw new Error('The copy failed.')
      result = await compareCopy(user, play.file)
      return result.different.length === 0
    })
    .catch((error: unknown) => {
      throw new Error(`The copy differs: ${result.different.slice(0, 5).join(', ')}`, { cause: error })
    })
  return result.rows
}

async function breakRuns(play: Play, name: string, item: Item): Promise<void> {
  const { stage, proxy } = play
  const user = stage.user(name)
  let round = 0
  for (const [what, how] of Object.entries(breaks)) {
    await change(play, user, item, (round += 1))
    const code = await run(play, name, how)
    stage.say(`  a run ${what}: ${proxy.passed} pages, exit code ${code}`)
  }
  await change(play, user, item, (round += 1))
  await stage.until('the last change has arrived', async () => {
    const { data } = await user.get('/api/v1/transactions', { params: { query: { limit: 500 } } })
    return data.some((row) => row.name === `Round ${round}`)
  })
  let restarted = Promise.resolve()
  const code = await run(play, name, () => (number) => {
    if (number === 1) restarted = stage.restartApi()
    return 'pass'
  })
  await restarted
  stage.say(`  a run while the API is restarted: exit code ${code}`)
}

export async function playCopy(stage: Stage): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-copy-'))
  const proxy = await startBreakingProxy(stage.urls.api)
  const play: Play = { stage, proxy, file: join(folder, 'copy.sqlite') }
  const user = stage.user('copy-user')
  try {
    const item = await stage.link(user)
    await breakRuns(play, 'copy-user', item)
    stage.say(`  the copy has the ${await expectEqual(play, 'copy-user')} rows of the API`)
    const [account] = (await user.get('/api/v1/accounts')).data
    await user.patch('/api/v1/accounts/{id}', { params: { path: { id: account?.id ?? '' } }, body: { hidden: true } })
    stage.say(`  with an account that its user hides: ${await expectEqual(play, 'copy-user')} rows`)
    // The place in the feed of another user is as one from before a restore: it has expired.
    const other = stage.user('other-user')
    await stage.link(other)
    stage.say(`  begun again, for another user: ${await expectEqual(play, 'other-user')} rows`)
    await stage.until('the copy of the first user is back', async () => (await run(play, 'copy-user', whole)) === 0)
    await user.delete('/api/v1/plaid/items/{id}', { params: { path: { id: item.id } } })
    stage.say(`  without the bank: ${await expectEqual(play, 'copy-user')} rows`)
  } finally {
    await proxy.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
