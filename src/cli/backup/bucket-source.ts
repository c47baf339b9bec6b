// Reads objects of a bucket from this machine: Cloudflare's, as `wrangler r2 object get` does, or a local Worker's.
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Writable } from 'node:stream'
import * as z from 'zod'
import { type Bucket, listObjects } from '../../backup/bucket.ts'
import { misuse } from '../../dev/lib/run-command.ts'
import { whenNotLimited } from '../lib/when-limited.ts'

export interface BucketSource {
  /** Writes the object into a file. Rejects where the bucket does not have it. */
  readonly get: (key: string, file: string) => Promise<void>
  /** The text of a small object. */
  readonly text: (key: string) => Promise<string>
  /** The keys of every object under a prefix. */
  readonly list: (prefix: string) => Promise<string[]>
  readonly close: () => Promise<void>
}

const save = async (content: ReadableStream<Uint8Array>, file: string): Promise<void> =>
  await content.pipeTo(Writable.toWeb(createWriteStream(file, { flags: 'wx', mode: 0o600 })))

const missing = (key: string): Error => new Error(`The bucket has no object ${key}.`)

/** https://developers.cloudflare.com/api/resources/r2/subresources/buckets/subresources/objects/methods/list/ */
const pageSchema = z.object({
  result: z.array(z.object({ key: z.string() })),
  result_info: z.object({ cursor: z.string().nullish() }).nullish(),
})

/** Every page of a list. `read` gets the cursor of the page before. */
async function listPages(read: (cursor: string | null) => Promise<z.output<typeof pageSchema>>): Promise<string[]> {
  const keys: string[] = []
  for (let cursor: string | null = null; ;) {
    const page = await read(cursor)
    keys.push(...page.result.map(({ key }) => key))
    const next = page.result_info?.cursor ?? ''
    // Without progress, the list would never end.
    if (next === '' || next === cursor || page.result.length === 0) return keys
    cursor = next
  }
}

/** Cloudflare's API allows 1,200 requests in five minutes, and the bucket has an object for each erasure. */
const maxPauses = 5

const hints: Readonly<Record<number, string>> = {
  401: ': is the token right?',
  403: ': may the token read this bucket?',
  429: ': too many requests. Try again in five minutes.',
}

/** The variables are wrangler's: `CLOUDFLARE_ACCOUNT_ID`, `CLOUDFLARE_API_TOKEN`, `CLOUDFLARE_API_BASE_URL`. */
export function cloudflareBucket(name: string | undefined, environment: NodeJS.ProcessEnv): BucketSource {
  if (name === undefined) throw misuse('Say with --bucket which bucket holds the backups, as in wrangler.toml.')
  const { CLOUDFLARE_ACCOUNT_ID: account, CLOUDFLARE_API_TOKEN: token } = environment
  if (!account || !token)
    throw misuse('Set CLOUDFLARE_ACCOUNT_ID, and CLOUDFLARE_API_TOKEN to a token that may read the bucket.')
  const base = environment['CLOUDFLARE_API_BASE_URL'] || 'https://api.cloudflare.com/client/v4'
  const objects = `${base}/accounts/${encodeURIComponent(account)}/r2/buckets/${encodeURIComponent(name)}/objects`
  const read = async (what: string, url: string): Promise<Response> => {
    const response = await whenNotLimited(maxPauses, () =>
      fetch(url, { headers: { authorization: `Bearer ${token}` } }),
    )
    if (response.ok) return response
    if (response.status === 404) throw missing(what)
    throw new Error(`Cloudflare answered ${response.status} for ${what}${hints[response.status] ?? '.'}`)
  }
  return {
    get: async (key, file) => {
      const { body } = await read(key, `${objects}/${key}`)
      if (body === null) throw missing(key)
      await save(body, file)
    },
    text: async (key) => await (await read(key, `${objects}/${key}`)).text(),
    list: async (prefix) =>
      await listPages(async (cursor) => {
        const query = new URLSearchParams({ prefix, per_page: '1000', ...(cursor === null ? {} : { cursor }) })
        return pageSchema.parse(await (await read(prefix, `${objects}?${query}`)).json())
      }),
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
  const read = async (key: string) => {
    const object = await env.BACKUPS.get(key)
    if (object === null) throw missing(key)
    return object
  }
  return {
    get: async (key, file) => await save((await read(key)).body, file),
    text: async (key) => await (await read(key)).text(),
    list: async (prefix) => (await listObjects(env.BACKUPS, prefix)).map(({ key }) => key),
    close: async () => {
      await dispose()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export interface BucketOptions {
  readonly bucket?: string | undefined
  readonly local?: string | undefined
}

/** Runs `work` with the bucket that `--bucket` or `--local` names. */
export async function withBucket<T>(
  { bucket, local }: BucketOptions,
  work: (source: BucketSource) => Promise<T>,
): Promise<T> {
  const source = local === undefined ? cloudflareBucket(bucket, process.env) : await localBucket(local)
  try {
    return await work(source)
  } finally {
    await source.close()
  }
}
