// Plays the bank behind the receiver of events, waits until it has read every change, and forges an event.
import type { Stage } from './stage.ts'

const changes = '{"add":3,"modify":1,"remove":1}'

/** Sends what anyone can send who knows the URL: no signature, and one of another secret. */
async function forge(stage: Stage, url: string): Promise<number[]> {
  const body = JSON.stringify({ type: 'item.removed', data: { item: 'forged' } })
  const headers = { 'webhook-id': 'evt_forged', 'webhook-timestamp': String(Math.floor(Date.now() / 1000)) }
  const send = async (more: Readonly<Record<string, string>>): Promise<number> =>
    (await fetch(url, { method: 'POST', body, headers: { ...headers, ...more }, signal: stage.signal })).status
  return [await send({}), await send({ 'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}` })]
}

export async function playEvents(stage: Stage): Promise<void> {
  const user = stage.user('events-user')
  const receiver = stage.start('events/receiver.ts', { WN_USER: 'events-user' })
  const [, port = ''] = await receiver.line(/^listening on (\d+), 0 changes so far$/)
  const item = await stage.link(user)
  await receiver.line(/^item\.linked: /)
  /** How many transactions the user has now. */
  const inList = async (): Promise<number> => {
    let count = 0
    for await (const page of user.pages('/api/v1/transactions', { params: { query: { limit: 500 } } }))
      count += page.data.length
    return count
  }
  const read = (): number =>
    receiver.lines.reduce((sum, line) => sum + Number(/^[\w.]+: (\d+) changes read/.exec(line)?.[1] ?? 0), 0)
  await stage.until('the receiver has read the history', async () => read() > (await inList()))
  const before = read()
  await stage.bank.change(item.plaid_item_id, changes)
  await stage.until('the receiver has read the changes', () => read() >= before + 5)
  const statuses = await forge(stage, `http://127.0.0.1:${port}/events`)
  if (statuses.some((status) => status !== 400) || receiver.lines.some((line) => line.startsWith('item.removed')))
    throw new Error(`The receiver took a forged event: ${statuses.join(', ')}.`)
  await receiver.stop()
}
