// `npm run lock`: keeps package-lock.json naming the optional packages of every platform. npm leaves out those that its
// registry lacks, and `npm ci` then refuses the file. Adds entries; never changes one that npm wrote.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { misuse, runCommand } from '../dev/lib/run-command.ts'

const LOCK_FILE = join(projectFolder, 'package-lock.json')
const MANIFEST = join(projectFolder, 'package.json')

const HELP = `npm run lock -- check     fails where package-lock.json lacks an optional package of some platform, names a package
                          without integrity or by another source than the registry, or differs from package.json
npm run lock -- complete  adds what is missing`

// Read beside the file's own objects and not written back: npm's order of keys is to stay.
const entrySchema = z.object({
  version: z.string().default(''),
  dev: z.boolean().default(false),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
})
const packagesSchema = z.record(z.string(), z.unknown())
const lockSchema = z.record(z.string(), z.unknown())

type Packages = z.infer<typeof packagesSchema>

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']
const SYNONYMS: Readonly<Record<string, string>> = { windows: 'win32', '64': 'x64' }

/** The folders where `name` could lie for the package at `path`: its own node_modules, then each one above. */
export function candidatePaths(path: string, name: string): string[] {
  const own = `${path === '' ? '' : `${path}/`}node_modules/${name}`
  if (path === '') return [own]
  const above = path.lastIndexOf('/node_modules/')
  return [own, ...candidatePaths(above === -1 ? '' : path.slice(0, above), name)]
}

/**
 * What platform a package is for, read from its name, as in `binding-linux-arm64-musl`: npm then installs it there and
 * nowhere else. One whose name says nothing is given to no system, since this registry could not deliver it.
 */
export function platformOf(name: string): { os: string[]; cpu?: string[]; libc?: string[] } {
  const words = name.split(/[-/]/).map((word) => SYNONYMS[word] ?? word)
  const os = words.find((word) => SYSTEMS.includes(word))
  const cpu = words.find((word) => PROCESSORS.includes(word))
  if (os === undefined || cpu === undefined) return { os: ['none'] }
  const libc = words
    .flatMap((word) => /^(musl|gnu)/.exec(word)?.[1] ?? [])
    .map((word) => (word === 'gnu' ? 'glibc' : word))
  return { os: [os], cpu: [cpu], ...(os === 'linux' && libc.length > 0 ? { libc } : {}) }
}

/** Whether `version` is what an optional dependency's range asks for: exact, or `^`, the two forms that occur. */
function satisfies(version: string, range: string): boolean {
  const [major] = version.split('.')
  return version === bare(range) || (range.startsWith('^') && major !== '0' && range.startsWith(`^${major}.`))
}

function bare(range: string): string {
  return range.replace(/^[\^~>=\s]+/, '')
}

/**
 * Where the entry for `name` is missing that the package at `path` needs, or null where it is there: at the top, or
 * beside the package where the top has another version.
 */
function missingPath(packages: Packages, path: string, name: string, range: string): string | null {
  const found = candidatePaths(path, name).find((candidate) => candidate in packages)
  if (found === undefined) return `node_modules/${name}`
  const { version } = entrySchema.parse(packages[found])
  return satisfies(version, range) ? null : `${path}/node_modules/${name}`
}

/** The entries that `npm ci` misses, by their path in the lock file. */
export function missingEntries(packages: Packages): Packages {
  const missing: Packages = {}
  for (const [path, found] of Object.entries(packages)) {
    const { dev, optionalDependencies } = entrySchema.parse(found)
    for (const [name, range] of Object.entries(optionalDependencies)) {
      const place = missingPath({ ...packages, ...missing }, path, name, range)
      if (place === null) continue
      missing[place] = { version: bare(range), ...(dev ? { dev } : {}), optional: true, ...platformOf(name) }
    }
  }
  return missing
}

const sourceSchema = z.object({
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  os: z.array(z.string()).optional(),
  optional: z.boolean().default(false),
  inBundle: z.boolean().default(false),
  link: z.boolean().default(false),
})
const dependenciesSchema = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
})
const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/

/**
 * What is wrong with where packages come from: each has a sha512 and, where its address is named, the registry's over
 * https; package.json pins exact versions, and the lock file has the same ones.
 */
export function sourceComplaints(packages: Packages, manifest: unknown): string[] {
  const complaints: string[] = []
  for (const [path, found] of Object.entries(packages)) {
    if (path === '') continue
    const { resolved, integrity, os, optional, inBundle, link } = sourceSchema.parse(found)
    if (link) complaints.push(`${path} is a link`)
    if (resolved !== undefined && !/^https:\/\/[\w.-]+\/.+\.tgz$/.test(resolved))
      complaints.push(`${path} is from ${resolved}`)
    // One of another platform, which `complete` added, is never installed here.
    const isStub = optional && os !== undefined && resolved === undefined
    if (!inBundle && !isStub && !integrity?.startsWith('sha512-')) complaints.push(`${path} has no sha512`)
  }
  const { dependencies, devDependencies } = dependenciesSchema.parse(manifest)
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    const locked = entrySchema.safeParse(packages[`node_modules/${name}`]).data?.version
    if (!EXACT.test(version)) complaints.push(`package.json asks for ${name} ${version}, which is no exact version`)
    else if (locked !== version)
      complaints.push(`package.json asks for ${name} ${version}, the lock file has ${locked}`)
  }
  return complaints
}

function sorted(packages: Packages): Packages {
  return Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function main(args: string[]): Promise<void> {
  const [action] = args
  if (args.length !== 1 || (action !== 'check' && action !== 'complete')) throw misuse('Say check or complete.')
  const lock = lockSchema.parse(JSON.parse(await readFile(LOCK_FILE, 'utf8')))
  const packages = packagesSchema.parse(lock['packages'])
  const complaints = sourceComplaints(packages, JSON.parse(await readFile(MANIFEST, 'utf8')))
  if (action === 'check' && complaints.length > 0)
    throw new Error(`package-lock.json: ${complaints.join('; ')}. Run \`npm install\` and look at what changed.`)
  const missing = missingEntries(packages)
  const names = Object.keys(missing).map((path) => path.replace('node_modules/', ''))
  if (names.length === 0) {
    process.stdout.write("package-lock.json names every platform's packages.\n")
    return
  }
  if (action === 'check') {
    throw new Error(`package-lock.json lacks ${names.join(', ')}: run \`npm run lock -- complete\` and commit it.`)
  }
  const completed = { ...lock, packages: sorted({ ...packages, ...missing }) }
  await writeFile(LOCK_FILE, `${JSON.stringify(completed, null, 2)}\n`)
  process.stdout.write(`Added ${names.length}: ${names.join(', ')}\n`)
}

if (import.meta.main) await runCommand(HELP, main)
