// `npm run lock`: keeps the optional packages of every platform in package-lock.json. npm leaves out those that its
// registry lacks, and `npm ci` then refuses the file. Adds entries; never changes one that npm wrote.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { candidatePaths, type Packages, packagesSchema } from './lib/lock-file.ts'

const lockFile = join(projectFolder, 'package-lock.json')
const manifestFile = join(projectFolder, 'package.json')

const help = `npm run lock -- check     fails where package-lock.json lacks an optional package of some platform, names a package
                          without integrity or from elsewhere than the registry and the workspaces, or differs from
                          package.json
npm run lock -- complete  adds what is missing`

// Only a parsed copy; the original objects are written back, because npm's order of keys must stay.
const entrySchema = z.object({
  version: z.string().default(''),
  dev: z.boolean().default(false),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
})
const lockSchema = z.record(z.string(), z.unknown())

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']
const synonyms: Readonly<Record<string, string>> = { windows: 'win32', '64': 'x64' }

/**
 * The platform of a package, from its name, such as `binding-linux-arm64-musl`: npm then installs it only there. A name
 * without a platform gets no system at all, because this registry could not deliver the package.
 */
export function platformOf(name: string): { os: string[]; cpu?: string[]; libc?: string[] } {
  const words = name.split(/[-/]/).map((word) => synonyms[word] ?? word)
  const os = words.find((word) => systems.includes(word))
  const cpu = words.find((word) => processors.includes(word))
  if (os === undefined || cpu === undefined) return { os: ['none'] }
  const libc = words
    .flatMap((word) => /^(musl|gnu)/.exec(word)?.[1] ?? [])
    .map((word) => (word === 'gnu' ? 'glibc' : word))
  return { os: [os], cpu: [cpu], ...(os === 'linux' && libc.length > 0 ? { libc } : {}) }
}

/**
 * Whether `version` satisfies the range of an optional dependency. Supports the two forms that occur: exact, and `^`.
 */
function satisfies(version: string, range: string): boolean {
  const [major] = version.split('.')
  return version === bare(range) || (range.startsWith('^') && major !== '0' && range.startsWith(`^${major}.`))
}

function bare(range: string): string {
  return range.replace(/^[\^~>=\s]+/, '')
}

/**
 * The path at which the entry for `name` is missing, or null if it exists. The path is at the top, or in the package at
 * `path` if the top has another version.
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
const manifestSchema = dependenciesSchema.extend({ workspaces: z.array(z.string()).default([]) })
const exactVersion = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/

type Dependencies = z.infer<typeof dependenciesSchema>

function versionsOf({ dependencies, devDependencies }: Dependencies): Record<string, string> {
  return { ...dependencies, ...devDependencies }
}

/** The problems of one entry's source. */
function entryProblems(path: string, entry: unknown, workspaces: readonly string[]): string[] {
  const { resolved, integrity, os, optional, inBundle, link } = sourceSchema.parse(entry)
  if (workspaces.includes(path)) return []
  if (link) return workspaces.includes(resolved ?? '') ? [] : [`${path} is a link`]
  // The entry of another platform that `complete` added; it is never installed here.
  const isStub = optional && os !== undefined && resolved === undefined
  const isFromRegistry = resolved === undefined || /^https:\/\/[\w.-]+\/.+\.tgz$/.test(resolved)
  return [
    ...(isFromRegistry ? [] : [`${path} is from ${resolved}`]),
    ...(inBundle || isStub || integrity?.startsWith('sha512-') ? [] : [`${path} has no sha512`]),
  ]
}

/** The version of a package; for a workspace, which is linked, the one in its folder. */
function lockedVersion(packages: Packages, name: string): string | undefined {
  const entry = packages[`node_modules/${name}`]
  const { link, resolved } = sourceSchema.safeParse(entry).data ?? { link: false }
  return entrySchema.safeParse((link && resolved !== undefined && packages[resolved]) || entry).data?.version
}

/**
 * The problems of packages' sources. Each package needs a sha512 and, if its address is given, an https URL of a
 * registry; only the root's workspaces may be folders. package.json and those of the workspaces pin exact versions, the
 * same in all of them and in the lock file.
 */
export function sourceProblems(packages: Packages, rootManifest: unknown): string[] {
  const manifest = manifestSchema.parse(rootManifest)
  const { workspaces } = manifest
  const sources = Object.entries(packages).flatMap(([path, entry]) =>
    path === '' ? [] : entryProblems(path, entry, workspaces),
  )
  const missing = workspaces.filter((path) => !(path in packages)).map((path) => `${path} is not in the lock file`)
  const asked = [
    { file: 'package.json', versions: versionsOf(manifest) },
    ...workspaces.map((path) => ({
      file: `${path}/package.json`,
      versions: versionsOf(dependenciesSchema.parse(packages[path] ?? {})),
    })),
  ]
  const versions = asked.flatMap(({ file, versions: wanted }) =>
    Object.entries(wanted).flatMap(([name, version]) => {
      const locked = lockedVersion(packages, name)
      if (!exactVersion.test(version)) return [`${file} asks for ${name} ${version}, which is no exact version`]
      return locked === version ? [] : [`${file} asks for ${name} ${version}, the lock file has ${locked}`]
    }),
  )
  return [...sources, ...missing, ...versions]
}

function sorted(packages: Packages): Packages {
  return Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function main(args: string[]): Promise<void> {
  const [action] = args
  if (args.length !== 1 || (action !== 'check' && action !== 'complete')) throw misuse('Say check or complete.')
  const lock = lockSchema.parse(JSON.parse(await readFile(lockFile, 'utf8')))
  const packages = packagesSchema.parse(lock['packages'])
  const problems = sourceProblems(packages, JSON.parse(await readFile(manifestFile, 'utf8')))
  if (action === 'check' && problems.length > 0)
    throw new Error(`package-lock.json: ${problems.join('; ')}. Run \`npm install\` and look at what changed.`)
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
  await writeFile(lockFile, `${JSON.stringify(completed, null, 2)}\n`)
  process.stdout.write(`Added ${names.length}: ${names.join(', ')}\n`)
}

if (import.meta.main) await runCommand(help, main)
