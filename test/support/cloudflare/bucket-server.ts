// Cloudflare's API for the objects of a bucket, over the state of a local Worker: lists and single objects.
import { createServer, type ServerResponse } from 'node:http'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BucketSource, localBucket } from '../../../src/cli/backup/bucket-source.ts'

export interface BucketServer {
  /** The variables with which `wrangler` and `npm run backup` use it. */
  readonly environment: Readonly<Record<string, string>>
  stop(): Promise<void>
}

const token = 'a fake token that may read the bucket'

const refuse = (response: ServerResponse, status: number, message: string): void =>
  void response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ success: false, errors: [{ code: 10_000 + status, message }], messages: [], result: null }))

async function answer(source: BucketSource, url: URL, path: string, response: ServerResponse): Promise<void> {
  const keys = await source.list(url.searchParams.get('prefix') ?? '')
  if (path === '/objects')
    return void response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        success: true,
        errors: [],
        messages: [],
        result: keys.map((key) => ({ key })),
        result_info: { cursor: '' },
      }),
    )
  const key = decodeURIComponent(path.slice('/objects/'.length))
  if (!keys.includes(key)) return refuse(response, 404, 'The specified key does not exist.')
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-object-'))
  try {
    await source.get(key, join(folder, 'object'))
    response.writeHead(200).end(await readFile(join(folder, 'object')))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** @param state the folder of the local Worker's state; the bucket has the name `bucket` */
export async function startBucketServer(state: string, bucket: string): Promise<BucketServer> {
  const source = await localBucket(state)
  const base = `/client/v4/accounts/account/r2/buckets/${bucket}`
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (request.headers.authorization !== `Bearer ${token}`) return refuse(response, 401, 'Authentication error')
    if (!url.pathname.startsWith(`${base}/objects`)) return refuse(response, 404, `no ${url.pathname}`)
    answer(source, url, url.pathname.slice(base.length), response).catch((error: unknown) =>
      refuse(response, 500, String(error)),
    )
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return {
    environment: {
      CLOUDFLARE_ACCOUNT_ID: 'account',
      CLOUDFLARE_API_TOKEN: token,
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${address.port}/client/v4`,
    },
    async stop() {
      await new Promise<void>((resolve) => void server.close(() => resolve()))
      await source.close()
    },
  }
}
