// `npm run lock`: keeps package-lock.json naming the optional packages of every platform. npm leaves out those that its
// registry lacks, and `npm ci` then refuses the file. Adds entries; never changes one that npm wrote.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { misuse, runCommand } from './run-command.ts'

const LOCK_FILE = join(import.meta.dirname, '..', '..', 'package-lock.json')

const HELP = `npm run lock -- check     fails where package-lock.json lacks an optional package of some platform
npm run lock -- complete  adds what is missing`

const entrySchema = z.looseObject({
  dev: z.boolean().optional(),
  optional: z.boolean().optional(),
  optionalDependencies: z.record(z.string(), z.string()).optional(),
})
const lockSchema = z.looseObject({ packages: z.record(z.string(), entrySchema) })

type Lock = z.infer<typeof lockSchema>
type Packages = Lock['packages']

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

/** The entries that `npm ci` misses, by their path in the lock file. */
export function missingEntries(packages: Packages): Packages {
  const missing: Packages = {}
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      if (candidatePaths(path, name).some((candidate) => candidate in packages)) continue
      missing[`node_modules/${name}`] = {
        version: range.replace(/^[\^~>=\s]+/, ''),
        ...(entry.dev ? { dev: true } : {}),
        optional: true,
        ...platformOf(name),
      }
    }
  }
  return missing
}

function sorted(packages: Packages): Packages {
  return Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function main(args: string[]): Promise<void> {
  const [action] = args
  if (args.length !== 1 || (action !== 'check' && action !== 'complete')) throw misuse('Say check or complete.')
  const lock = lockSchema.parse(JSON.parse(await readFile(LOCK_FILE, 'utf8')))
  const missing = missingEntries(lock.packages)
  const names = Object.keys(missing).map((path) => path.replace('node_modules/', ''))
  if (names.length === 0) {
    process.stdout.write("package-lock.json names every platform's packages.\n")
    return
  }
  if (action === 'check') {
    throw new Error(`package-lock.json lacks ${names.join(', ')}: run \`npm run lock -- complete\` and commit it.`)
  }
  const packages = sorted({ ...lock.packages, ...missing })
  await writeFile(LOCK_FILE, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`)
  process.stdout.write(`Added ${names.length}: ${names.join(', ')}\n`)
}

if (import.meta.main) await runCommand(HELP, main)
