// The local stack fires the crons that Cloudflare would fire, and each has a job.
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { unstable_readConfig } from 'wrangler'
import { jobFor } from '../../../../src/cron/schedule.ts'
import { freePort } from '../../../../src/dev/lib/ports.ts'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'
import { cronSchedules, fireCron } from '../../../../src/dev/stack/crons.ts'

const config = join(projectFolder, 'wrangler.toml')

it.each([undefined, 'staging', 'production'])(
  'the crons of the local stack are those of wrangler.toml, environment %s',
  (env) => {
    const { triggers } = unstable_readConfig({ config, env: env ?? '' }, { hideWarnings: true })
    expect(new Set(triggers.crons)).toEqual(new Set(Object.values(cronSchedules)))
  },
)

it('each cron of the local stack has the job of its name', () => {
  for (const [name, expression] of Object.entries(cronSchedules)) expect(jobFor(expression).name).toBe(name)
})

it('a cron whose run failed is reported as failed', async () => {
  const asked: string[] = []
  const port = await freePort()
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.statusCode = 500
    response.end('{"outcome":"exception"}')
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${port}`
  await expect(fireCron(url, cronSchedules.sweep)).rejects.toThrow('exception')
  expect(asked).toEqual(['/cdn-cgi/handler/scheduled?cron=2-57%2F5+*+*+*+*&format=json'])
  server.close()
})
