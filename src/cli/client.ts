// `npm run client`: the size of the client, and the packages as they would be published.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { buildPackage, maxGzipBytes, sizeOf } from './client/build.ts'

const help = `npm run client -- check | build [--to DIR]

check  fails when the client with its dependency has over ${maxGzipBytes / 1000} kB (gzip)
build  writes the packages client and react as JavaScript with types to DIR, by default to dist/packages`

async function check(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-client-'))
  try {
    const bytes = await sizeOf(folder)
    const size = `${(bytes / 1000).toFixed(2)} kB gzip of ${maxGzipBytes / 1000}`
    if (bytes > maxGzipBytes) throw new Error(`The client has ${size}: make it smaller.`)
    process.stdout.write(`The client has ${size}.\n`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function buildAll(folder: string): Promise<void> {
  await buildPackage('client', folder)
  await buildPackage('react', folder)
  process.stdout.write(`The packages are in ${folder}.\n`)
}

if (import.meta.main)
  await runCommand(help, async ([action, ...rest]) => {
    const [option, folder] = rest
    const isPlain = rest.length === 0
    if (action === 'check' && isPlain) await check()
    else if (action === 'build' && (isPlain || (option === '--to' && rest.length === 2)))
      await buildAll(folder ?? join(projectFolder, 'dist', 'packages'))
    else throw misuse('Say check, or build with or without --to DIR.')
  })
