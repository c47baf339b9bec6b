// Builds the Worker as a deployment does.
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as z from 'zod'
import { runWrangler } from './wrangler.ts'

/** The deployed environments of wrangler.toml. They deploy the same module. */
export const deployedEnvironments = ['production', 'staging'] as const

const metafileSchema = z.object({
  outputs: z.record(z.string(), z.object({ inputs: z.record(z.string(), z.object({ bytesInOutput: z.number() })) })),
})

/** An empty folder of assets in `folder`, for a Worker without the console. */
export async function noAssets(folder: string): Promise<string> {
  const empty = join(folder, 'no-assets')
  await mkdir(empty, { recursive: true })
  return empty
}

export interface Bundle {
  /** The built module. */
  entry: string
  gzipBytes: number
  /** The source files in it, largest first. */
  inputs: { path: string; bytes: number }[]
}

/**
 * Builds the Worker into `folder` as a deployment to production does. Uses wrangler.toml's entry point unless `source`
 * is given, and the project's wrangler.toml unless `config` is.
 */
export async function buildBundle(folder: string, source?: string, config?: string): Promise<Bundle> {
  const metafile = join(folder, 'metafile.json')
  const entries = source === undefined ? [] : [source]
  const args = [
    'deploy',
    ...entries,
    '--dry-run',
    '--outdir',
    folder,
    '--metafile',
    metafile,
    '--assets',
    await noAssets(folder),
    '--env',
    deployedEnvironments[0],
  ]
  await runWrangler(args, folder, config === undefined ? {} : { config }).catch((error: unknown) => {
    throw new Error(`The Worker does not build:\n${error instanceof Error ? error.message : ''}`, { cause: error })
  })
  const name = (await readdir(folder)).find((file) => file.endsWith('.js'))
  if (name === undefined) throw new Error('wrangler built no module: run `npx wrangler deploy --dry-run` to see why.')
  const entry = join(folder, name)
  const { outputs } = metafileSchema.parse(JSON.parse(await readFile(metafile, 'utf8')))
  const inputs = Object.values(outputs)
    .flatMap((output) =>
      Object.entries(output.inputs).map(([path, { bytesInOutput }]) => ({ path, bytes: bytesInOutput })),
    )
    .sort((a, b) => b.bytes - a.bytes)
  return { entry, gzipBytes: gzipSync(await readFile(entry)).length, inputs }
}
