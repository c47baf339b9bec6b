// `npm run bundle`: builds the Worker as a deployment does and tries the deployment of each environment without
// uploading. Fails if the result is too large, starts too slowly or contains code that must not be deployed.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildBundle, type Bundle, deployedEnvironments, noAssets } from '../dev/lib/bundle.ts'
import { buildConsole } from '../dev/lib/console-build.ts'
import { runCommand } from '../dev/lib/run-command.ts'
import { runWrangler } from '../dev/lib/wrangler.ts'

/** What the Worker needs, and 2 %. Its code for backups (age) is 63 kB, which is evaluated with the first backup. */
const maxGzipBytes = 530_000
/** What React, the queries, the client and the first page need, and 15 %. */
const maxFirstLoadBytes = 120_000
const maxStartMs = 100
const startCount = 5
const forbiddenPath = /(?:^|\/)src\/(?:dev|cli|client|react|console|examples)\//

const help = `npm run bundle [-- --startup]

Builds the Worker with the settings of wrangler.toml, as \`wrangler deploy --env production\` does, and tries the deployment
of ${deployedEnvironments.join(' and ')}. Uploads nothing. Fails where the Worker has over ${maxGzipBytes / 1000} kB (gzip) or holds code of src/dev, src/cli,
src/client, src/react, src/console or src/examples. Builds the console: its first page may load ${maxFirstLoadBytes / 1000} kB (gzip) of scripts.
  --startup  also starts the module ${startCount} times (\`wrangler check startup\`): its fastest start must take under ${maxStartMs} ms`

/** Tries the deployment of the built module to an environment. Rejects with wrangler's error. */
async function tryDeployment(entry: string, folder: string, env: string): Promise<void> {
  const args = ['deploy', entry, '--no-bundle', '--dry-run', '--assets', await noAssets(folder), '--env', env]
  await runWrangler(args, folder).catch((error: unknown) => {
    throw new Error(`The environment ${env} does not deploy:\n${error instanceof Error ? error.message : ''}`, {
      cause: error,
    })
  })
}

/** The fastest of several starts in milliseconds, because other load can only slow a start down. */
async function measureStart(folder: string): Promise<number> {
  const build = `--env ${deployedEnvironments[0]} --assets ${await noAssets(folder)}`
  const profile = join(folder, 'start.cpuprofile')
  const times: number[] = []
  for (let run = 0; run < startCount; run += 1) {
    const printed = await runWrangler(['check', 'startup', '--outfile', profile, `--args=${build}`], folder)
    const found = /Active: ([\d.]+) ms/.exec(printed)?.[1]
    if (found === undefined) throw new Error('`wrangler check startup` printed no active time.')
    times.push(Number(found))
  }
  return Math.min(...times)
}

function refuseForbidden({ inputs }: Bundle): void {
  const forbidden = inputs.filter(({ path }) => forbiddenPath.test(path)).map(({ path }) => path)
  if (forbidden.length > 0)
    throw new Error(`The bundle holds ${forbidden.join(', ')}: nothing that is deployed may import it.`)
}

function refuseLarge({ gzipBytes, inputs }: Bundle): void {
  const size = `${(gzipBytes / 1000).toFixed(1)} kB gzip of ${maxGzipBytes / 1000}`
  if (gzipBytes <= maxGzipBytes) return void process.stdout.write(`The bundle has ${size}.\n`)
  const largest = inputs.slice(0, 5).map(({ path, bytes }) => `${path} (${Math.round(bytes / 1000)} kB)`)
  throw new Error(`The bundle has ${size}: make it smaller, the largest parts are ${largest.join(', ')}.`)
}

async function refuseLargeConsole(folder: string): Promise<void> {
  const { firstLoadBytes } = await buildConsole(join(folder, 'console'), { strict: true })
  const size = `${(firstLoadBytes / 1000).toFixed(1)} kB gzip of ${maxFirstLoadBytes / 1000}`
  if (firstLoadBytes > maxFirstLoadBytes)
    throw new Error(`The console's first page loads ${size}: load less before it, or a page later.`)
  process.stdout.write(`The console's first page loads ${size}.\n`)
}

async function refuseSlow(folder: string): Promise<void> {
  const startMs = await measureStart(folder)
  const startTime = `${startMs.toFixed(1)} ms of ${maxStartMs}`
  if (startMs >= maxStartMs)
    throw new Error(`The module starts in ${startTime}: load less at the start, or measure again on a quiet machine.`)
  process.stdout.write(`The module starts in ${startTime}.\n`)
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { startup: { type: 'boolean', default: false } } })
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-bundle-'))
  try {
    const bundle = await buildBundle(folder)
    refuseForbidden(bundle)
    refuseLarge(bundle)
    await refuseLargeConsole(folder)
    for (const env of deployedEnvironments.slice(1)) await tryDeployment(bundle.entry, folder, env)
    if (values.startup) await refuseSlow(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

if (import.meta.main) await runCommand(help, main)
