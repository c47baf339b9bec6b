// `npm run bundle`: builds the Worker as a deployment would and fails where the result is too large or holds what is
// only for this side of the deployment. Uploads nothing.
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import * as z from 'zod'
import { misuse, runCommand } from './run-command.ts'

const PROJECT_FOLDER = join(import.meta.dirname, '..', '..')
const MAX_GZIP_BYTES = 350_000
const FORBIDDEN = /(?:^|\/)src\/(?:dev|cli)\//
const run = promisify(execFile)

const HELP = `npm run bundle [-- --env production]

Builds the Worker and fails where it is over ${MAX_GZIP_BYTES / 1000} kB (gzip) or holds code of src/dev or src/cli.`

const metafileSchema = z.object({
  outputs: z.record(z.string(), z.object({ inputs: z.record(z.string(), z.object({ bytesInOutput: z.number() })) })),
})

export interface Bundle {
  /** The built module. */
  entry: string
  gzipBytes: number
  /** Source files in it, largest first. */
  inputs: { path: string; bytes: number }[]
}

/**
 * Builds the Worker into `folder`, minified, for wrangler's environment `env` (the top level unless given), from
 * wrangler.toml's entry unless another is given.
 */
export async function buildBundle(folder: string, env?: string, source?: string): Promise<Bundle> {
  const wrangler = join(dirname(createRequire(import.meta.url).resolve('wrangler/package.json')), 'bin', 'wrangler.js')
  const metafile = join(folder, 'metafile.json')
  const args = [
    wrangler,
    'deploy',
    ...(source === undefined ? [] : [source]),
    '--dry-run',
    '--minify',
    '-c',
    join(PROJECT_FOLDER, 'wrangler.toml'),
  ]
  args.push('--outdir', folder, '--metafile', metafile, '--env', env ?? '')
  const quiet = {
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_LOG_PATH: join(folder, 'logs'),
  }
  await run(process.execPath, args, { cwd: PROJECT_FOLDER, env: { ...process.env, CI: '1', ...quiet } }).catch(
    (error: unknown) => {
      const said = z.object({ stderr: z.string() }).safeParse(error).data?.stderr ?? ''
      throw new Error(`The Worker does not build:\n${said.trim()}`, { cause: error })
    },
  )
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

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { env: { type: 'string' } } })
  if (values.env === '') throw misuse('--env needs a name.')
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-bundle-'))
  try {
    const { gzipBytes, inputs } = await buildBundle(folder, values.env ?? 'production')
    const forbidden = inputs.filter(({ path }) => FORBIDDEN.test(path)).map(({ path }) => path)
    if (forbidden.length > 0)
      throw new Error(`The bundle holds ${forbidden.join(', ')}: import it from nowhere in src/.`)
    const size = `${(gzipBytes / 1000).toFixed(1)} kB gzip of ${MAX_GZIP_BYTES / 1000}`
    if (gzipBytes <= MAX_GZIP_BYTES) return void process.stdout.write(`The bundle has ${size}.\n`)
    const largest = inputs.slice(0, 5).map(({ path, bytes }) => `${path} (${Math.round(bytes / 1000)} kB)`)
    throw new Error(`The bundle has ${size}: make it smaller, the largest parts are ${largest.join(', ')}.`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

if (import.meta.main) await runCommand(HELP, main)
