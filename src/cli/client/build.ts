// Builds the packages as they would be published: JavaScript for every runtime, types, README and licence.
import { build } from 'esbuild'
import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import * as z from 'zod'
import { projectFolder } from '../../dev/lib/project-folder.ts'

const run = promisify(execFile)

/** The whole client with openapi-fetch. */
export const maxGzipBytes = 8000

/** What Node.js 20, Workers, React Native with its compiler, and browsers of 2022 understand. */
const target = 'es2022'

export type PackageName = 'client' | 'react'

const sourceOf = (name: PackageName): string => join(projectFolder, 'src', name)

/** The client and its dependency in one module, minified. Resolves to its size. */
export async function sizeOf(folder: string): Promise<number> {
  const outfile = join(folder, 'client.js')
  const options = { bundle: true, minify: true, format: 'esm', target, platform: 'neutral' } as const
  await build({
    ...options,
    mainFields: ['module', 'main'],
    entryPoints: [join(sourceOf('client'), 'index.ts')],
    outfile,
  })
  return gzipSync(await readFile(outfile)).length
}

const manifestSchema = z.looseObject({
  exports: z.record(z.string(), z.string()),
  devDependencies: z.unknown().optional(),
})

async function writeManifest(name: PackageName, folder: string): Promise<void> {
  const text = await readFile(join(sourceOf(name), 'package.json'), 'utf8')
  const { devDependencies: _, ...manifest } = manifestSchema.parse(JSON.parse(text))
  const exports = { '.': { types: './index.d.ts', default: './index.js' }, './package.json': './package.json' }
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ ...manifest, exports }, null, 2)}\n`)
}

/** Declarations import `.ts`, which the package does not have. */
async function renameImports(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter((file) => file.endsWith('.d.ts'))) {
    const text = await readFile(join(folder, name), 'utf8')
    await writeFile(join(folder, name), text.replaceAll(/(from '\.\/[\w-]+)\.tsx?'/g, "$1.js'"))
  }
}

async function writeTypes(name: PackageName, folder: string): Promise<void> {
  const tsconfig = join(sourceOf('client'), 'tsconfig.json')
  const entry = join(sourceOf(name), 'index.ts')
  const config = join(folder, 'tsconfig.json')
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: sourceOf(name),
    outDir: folder,
  }
  await writeFile(config, JSON.stringify({ extends: tsconfig, compilerOptions, files: [entry], include: [] }))
  await run(process.execPath, [join(projectFolder, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', config])
  await rm(config)
  await renameImports(folder)
}

/** Writes the package to `to/name`. Its dependencies stay imports. Returns its folder. */
export async function buildPackage(name: PackageName, to: string): Promise<string> {
  const folder = join(to, name)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const entryPoints = [join(sourceOf(name), 'index.ts')]
  const options = { bundle: true, format: 'esm', target, platform: 'neutral', packages: 'external' } as const
  await build({ ...options, entryPoints, outfile: join(folder, 'index.js') })
  await writeTypes(name, folder)
  await writeManifest(name, folder)
  await cp(join(sourceOf(name), 'README.md'), join(folder, 'README.md'))
  await cp(join(projectFolder, 'LICENSE'), join(folder, 'LICENSE'))
  return folder
}
