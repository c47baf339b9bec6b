// Builds the console's pages with Vite: for a deployment, for tests, and for `npm run dev` where its sources have changed.
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as z from 'zod'
import { writeReference } from '../reference/write.ts'
import { assetHeaders } from './console-headers.ts'
import { documentsUrl } from './documents-url.ts'
import { nullIfMissing } from './missing.ts'
import { projectFolder } from './project-folder.ts'

const sources = [
  'src/console',
  'src/client',
  'src/react',
  'src/dev/reference',
  'src/dev/lib/console-build.ts',
  'src/dev/lib/console-headers.ts',
  'src/dev/lib/documents-url.ts',
  'src/response-headers.ts',
  'docs/openapi.json',
  'package-lock.json',
]
const root = join(projectFolder, 'src', 'console')

const manifestSchema = z.record(
  z.string(),
  z.object({
    file: z.string(),
    imports: z.array(z.string()).default([]),
    isEntry: z.boolean().default(false),
  }),
)

export interface ConsoleBuild {
  folder: string
  /** The scripts that the first page loads before it shows anything, in bytes of gzip. */
  firstLoadBytes: number
}

export interface ConsoleOptions {
  /** Whether the files are served over https: then their headers forbid http for the host. */
  strict: boolean
  /** The address of the folder `docs`; by default that of the checkout's repository, null for none. */
  documents?: string | null
}

type Manifest = z.output<typeof manifestSchema>

/** A chunk and everything that it imports statically. */
function withImports(manifest: Manifest, name: string, seen: Set<string> = new Set()): Set<string> {
  const chunk = manifest[name]
  if (chunk === undefined || seen.has(chunk.file)) return seen
  seen.add(chunk.file)
  for (const imported of chunk.imports) withImports(manifest, imported, seen)
  return seen
}

async function firstLoad(folder: string, manifest: Manifest): Promise<number> {
  const entries = Object.entries(manifest).filter(([, { isEntry }]) => isEntry)
  const first = [...entries.map(([name]) => name), 'pages/overview.tsx']
  const files = new Set(first.flatMap((name) => [...withImports(manifest, name)]))
  const sizes = await Promise.all([...files].map(async (file) => gzipSync(await readFile(join(folder, file))).length))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Builds the pages into `folder`, which is emptied first. */
export async function buildConsole(folder: string, { strict, documents }: ConsoleOptions): Promise<ConsoleBuild> {
  // Loaded on use: the bundler takes half a second.
  const { build } = await import('vite')
  await build({
    root,
    base: '/',
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    // What NODE_ENV says does not matter: tests check the build that is deployed.
    mode: 'production',
    define: {
      'process.env.NODE_ENV': '"production"',
      documentsUrl: JSON.stringify(documents === undefined ? await documentsUrl() : documents),
    },
    oxc: { jsx: { development: false } },
    build: {
      outDir: folder,
      emptyOutDir: true,
      // Browsers of 2024 and newer, which have `light-dark()` and nested rules.
      target: 'es2023',
      assetsDir: 'assets',
      // Small images as data: URLs would need `img-src data:`.
      assetsInlineLimit: 0,
      manifest: 'manifest.json',
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      rolldownOptions: { input: { index: join(root, 'index.html') } },
    },
  })
  const manifestFile = join(folder, 'manifest.json')
  const manifest = manifestSchema.parse(JSON.parse(await readFile(manifestFile, 'utf8')))
  // It names the sources, and no page needs it.
  await rm(manifestFile)
  await writeReference(folder)
  await writeFile(join(folder, '_headers'), assetHeaders({ strict }))
  return { folder, firstLoadBytes: await firstLoad(folder, manifest) }
}

async function filesOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => null)
  if (entries === null) return [path]
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** Changes with every file that the pages are made of. */
async function sourceHash(): Promise<string> {
  const hash = createHash('sha256')
  const files = (await Promise.all(sources.map((path) => filesOf(join(projectFolder, path))))).flat().toSorted()
  for (const file of files) hash.update(`${file}\0`).update(await readFile(file))
  return hash.digest('hex')
}

/** The folder of the built pages, which are built again where a source has changed. */
export async function currentConsole(log: (line: string) => void): Promise<string> {
  const dist = join(projectFolder, 'dist')
  const [folder, noteFile] = [join(dist, 'console-local'), join(dist, 'console-local.sha256')]
  const hash = await sourceHash()
  if ((await readFile(noteFile, 'utf8').catch(nullIfMissing)) === hash) return folder
  log('building the pages')
  await mkdir(dist, { recursive: true })
  // Not in place: a stack that runs keeps complete files.
  const fresh = join(dist, `console-local.${randomUUID()}`)
  try {
    await buildConsole(fresh, { strict: false })
    await rm(noteFile, { force: true })
    await rm(folder, { recursive: true, force: true })
    await rename(fresh, folder)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  await writeFile(noteFile, hash)
  return folder
}
