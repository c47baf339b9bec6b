// Reads objects of a bucket from this machine: Cloudflare's, as `wrangler r2 object get` does, or a local Worker's.
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Writable } from 'node:stream'
import type { Bucket } from '../../backup/bucket.ts'
import { misuse } from '../../dev/lib/run-command.ts'

export interface BucketSource {
  /** Writes the object into a file. Rejects where the bucket does not have it. */
  readonly get: (key: string, file: string) => Promise<void>
  readonly close: () => Promise<void>
}

const save = async (content: ReadableStream<Uint8Array>, file: string): Promise<void> =>
  await content.pipeTo(Writable.toWeb(createWriteStream(file, { flags: 'wx', mode: 0o600 })))

const missing = (key: string): Error => new Error(`The bucket has no object ${key}.`)

/** The variables are wrangler's: `CLOUDFLARE_ACCOUNT_ID`, `CLOUDFLARE_API_TOKEN`, `CLOUDFLARE_API_BASE_URL`. */
export function cloudflareBucket(name: string | undefined, environment: NodeJS.ProcessEnv): BucketSource {
  if (name === undefined) throw misuse('Say with --bucket which bucket holds the backups, as in wrangler.toml.')
  const { CLOUDFLARE_ACCOUNT_ID: account, CLOUDFLARE_API_TOKEN: token } = environment
  if (!account || !token)
    throw misuse('Set CLOUDFLARE_ACCOUNT_ID, and CLOUDFLARE_API_TOKEN to a token that may read the bucket.')
  const base = environment['CLOUDFLARE_API_BASE_URL'] || 'https://api.cloudflare.com/client/v4'
  return {
    get: async (key, file) => {
      const url = `${base}/accounts/${encodeURIComponent(account)}/r2/buckets/${encodeURIComponent(name)}/objects/${key}`
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
      if (response.status === 404) throw missing(key)
      if (!response.ok || response.body === null)
        throw new Error(`Cloudflare answered ${response.status} for ${key}: may the token read this bucket?`)
      await save(response.body, file)
    },
    close: () => Promise.resolve(),
  }
}

/** As in wrangler.toml's top level. */
const localName = 'wealthnavigator-backups'

/** The bucket of a local Worker, whose state is in `state`. */
export async function localBucket(state: string): Promise<BucketSource> {
  // Not wrangler.toml: wrangler would read and announce the variables next to it.
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-bucket-'))
  const configPath = join(folder, 'wrangler.json')
  await writeFile(
    configPath,
    JSON.stringify({ name: 'fetch', r2_buckets: [{ binding: 'BACKUPS', bucket_name: localName }] }),
  )
  // Only here: wrangler takes a second and a hundred megabytes.
  const { getPlatformProxy } = await import('wrangler')
  const persist = { path: join(resolve(state), 'v3') }
  const { env, dispose } = await getPlatformProxy<{ readonly BACKUPS: Bucket }>({ configPath, persist })
  return {
    get: async (key, file) => {
      const object = await env.BACKUPS.get(key)
      if (object === null) throw missing(key)
      await save(object.body, file)
    },
    close: async () => {
      await dispose()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
