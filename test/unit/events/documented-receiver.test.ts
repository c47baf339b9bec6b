// The receiver of docs/events.md runs as it is written, and refuses what it must.
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createSecret } from '../../../src/crypto/secret.ts'
import { send } from '../../../src/events/send.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
let folder: string
let url: string
let child: ReturnType<typeof spawn>
let printed = ''
let lines = 0

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

beforeAll(async () => {
  const page = await readFile('docs/events.md', 'utf8')
  const code = /```js receiver\.mjs\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  lines = code.trim().split('\n').length
  folder = await mkdtemp(join(tmpdir(), 'receiver-'))
  await writeFile(join(folder, 'receiver.mjs'), code)
  const port = await freePort()
  url = `http://127.0.0.1:${port}/events`
  child = spawn(process.execPath, [join(folder, 'receiver.mjs')], {
    env: { ...process.env, SECRET: secret, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  await vi.waitFor(() => fetch(url, { method: 'POST', body: '{}' }), { timeout: 20_000, interval: 50 })
})
afterAll(async () => {
  child.kill()
  await rm(folder, { recursive: true, force: true })
})

const post = (type: string, data: object, by = secret, nowMs = Date.now()) =>
  send(
    { url, id: 'an-id', body: JSON.stringify({ type, timestamp: 'now', data }), secrets: [createSecret(by)], nowMs },
    { fetch: (request) => fetch(request), now: () => Date.now(), readsAnswer: true },
  )

it('the documented receiver returns a challenge, accepts signed events once, and refuses all others', async () => {
  expect((await post('endpoint.verification', { challenge: 'abc' })).answer).toBe('{"challenge":"abc"}')
  expect((await post('item.linked', {}, 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')).status).toBe(401)
  expect((await post('item.linked', {}, secret, Date.now() - 600_000)).status).toBe(401)
  expect(printed).toBe('')
  expect(lines).toBeLessThanOrEqual(22)
  for (let repetition = 0; repetition < 2; repetition += 1) expect((await post('item.linked', {})).status).toBe(204)
  await expect.poll(() => printed).toContain('item.linked')
  expect(printed.match(/item\.linked/g)).toHaveLength(1)
})
