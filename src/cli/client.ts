// `npm run client`: the types of the client's routes, and the packages as they would be published.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { buildPackage, maxGzipBytes, sizeOf } from './client/build.ts'
import { clientTypes } from './client/types.ts'

const help = `npm run client -- generate | check | build [--to DIR]

generate  writes src/client/schema.ts from docs/openapi.json
check     fails when that file is out of step, or when the client with its dependency has over ${maxGzipBytes / 1000} kB (gzip)
build     writes the packages client and react as JavaScript with types to DIR, by default to dist/packages`

const schemaFile = join(projectFolder, 'src', 'client', 'schema.ts')

async function schemaText(): Promise<string> {
  const document: unknown = JSON.parse(await readFile(join(projectFolder, 'docs', 'openapi.json'), 'utf8'))
  return clientTypes(document)
}

async function check(): Promise<void> {
  if ((await readFile(schemaFile, 'utf8')) !== (await schemaText()))
    throw new Error('src/client/schema.ts is out of step with docs/openapi.json: run `npm run client -- generate`.')
  process.stdout.write('src/client/schema.ts is in step with docs/openapi.json.\n')
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

if (import.meta.main)
  await runCommand(help, async ([action, ...rest]) => {
    const [option, folder] = rest
    if (action === 'build' && (rest.length === 0 || (option === '--to' && rest.length === 2))) {
      const to = folder ?? join(projectFolder, 'dist', 'packages')
      await buildPackage('client', to)
      await buildPackage('react', to)
      process.stdout.write(`The packages are in ${to}.\n`)
      return
    }
    if (rest.length > 0) throw misuse('Say generate, check, or build.')
    if (action === 'generate') await writeFile(schemaFile, await schemaText())
    else if (action === 'check') await check()
    else throw misuse('Say generate, check, or build.')
  })
