// Plays a browser that uses the server of the example: Link, the exchange, and reads.
import * as z from 'zod'
import { sendTo, textOf } from '../lib/http.ts'
import type { Stage } from './stage.ts'

const linkToken = z.object({ link_token: z.string() })
const items = z.object({
  data: z.array(z.object({ id: z.string(), status: z.string(), products: z.array(z.object({ status: z.string() })) })),
})
const rows = z.object({ data: z.array(z.object({ id: z.string() })) })

export async function playServer(stage: Stage): Promise<void> {
  const server = stage.start('server/server.ts')
  const [, port = ''] = await server.line(/"port":(\d+)/)
  const as = (user: string) => sendTo(`http://127.0.0.1:${port}`, { 'x-example-user': user }, stage.signal)
  const read = async (user: string, path: string): Promise<unknown> =>
    JSON.parse(await textOf(as(user), 200, 'GET', path))

  const created = linkToken.parse(JSON.parse(await textOf(as('user-1'), 200, 'POST', '/link-token')))
  const { publicToken } = await stage.bank.finishLink(created.link_token, {})
  const body = JSON.stringify({ public_token: publicToken, ...created })
  await textOf(as('user-1'), 200, 'POST', '/exchange', body)
  await stage.until('the bank is in sync', async () => {
    const [item] = items.parse(await read('user-1', '/items')).data
    return item?.status === 'healthy' && item.products.every(({ status }) => status === 'ok')
  })
  const accounts = rows.parse(await read('user-1', '/accounts')).data
  const transactions = rows.parse(await read('user-1', '/transactions')).data
  const others = rows.parse(await read('user-2', '/accounts')).data
  const refused = await as('user-1')('POST', '/exchange', body.replace(publicToken, 'public-wrong'))
  stage.say(
    `  user-1 has ${accounts.length} accounts, user-2 has ${others.length}; a wrong token gets ${refused.status}`,
  )
  if (accounts.length === 0 || transactions.length !== 10 || others.length > 0 || refused.status !== 400)
    throw new Error('The server does not return what its user has.')
  await server.stop()
}
