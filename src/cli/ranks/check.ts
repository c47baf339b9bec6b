// Compares the imports of source files with the table of ranks, and finds circles. Pure: gets the files as text.
import { posix } from 'node:path'
import { onlyImportedBy, onlyImports, packages, ranks, separateUnits, toolFolders } from './table.ts'

export interface SourceFile {
  /** From the root: `src/worker.ts`. */
  readonly path: string
  readonly text: string
}

export interface Violation {
  readonly path: string
  readonly line: number
  readonly problem: string
}

const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)

const isTool = (path: string): boolean => toolFolders.some((folder) => isBelow(path, folder))

/** The unit of a file, by the longest matching path; -1 if the table has none. */
export function rankOf(path: string): number {
  const lengths = ranks.map(({ paths }) =>
    Math.max(-1, ...paths.filter((each) => isBelow(path, each)).map((each) => each.length)),
  )
  const longest = Math.max(...lengths)
  return longest < 0 ? -1 : lengths.indexOf(longest)
}

const specifier = /(?<!['"`])\b(?:from|import)\s*\(?\s*'([^'\n]+)'/g

function importsOf(text: string): { specifier: string; line: number }[] {
  return [...text.matchAll(specifier)].map((match) => ({
    specifier: match[1] ?? '',
    line: text.slice(0, match.index).split('\n').length,
  }))
}

function problemOfPackage(path: string, name: string): string | null {
  if (isTool(path) || (path.startsWith('drizzle/') && !path.startsWith('drizzle/tables/'))) return null
  const rule = packages.find((each) => each.name.test(name))
  if (rule === undefined) return `the Worker does not import ${name}`
  return rule.paths.some((each) => isBelow(path, each)) ? null : `${name} belongs to ${rule.paths.join(', ')}`
}

function problemOfImport(path: string, target: string): string | null {
  const [own, other] = [rankOf(path), rankOf(target)]
  if (own === other) return null
  const [from, to] = [ranks[own]?.name, ranks[other]?.name]
  if (from === undefined) return `${path} has no rank`
  if (to === undefined) return `${target} has no rank`
  if (isTool(target) && !isTool(path)) return `the Worker does not import ${target}`
  if (other > own) return `${from} imports ${to}, which is above it`
  const users = onlyImportedBy[to]
  if (users !== undefined && !users.includes(from)) return `only ${users.join(', ')} imports ${to}`
  const allowed = onlyImports[from]
  const isSeparate = separateUnits.includes(from) && separateUnits.includes(to)
  return !isSeparate && (allowed === undefined || allowed.includes(to)) ? null : `${from} does not import ${to}`
}

/** Every import that the table forbids. */
export function checkRanks(files: readonly SourceFile[]): Violation[] {
  return files.flatMap(({ path, text }) =>
    importsOf(text).flatMap(({ specifier: name, line }) => {
      const problem = name.startsWith('.')
        ? problemOfImport(path, posix.join(posix.dirname(path), name))
        : problemOfPackage(path, name)
      return problem === null ? [] : [{ path, line, problem }]
    }),
  )
}

/** Circles of files that import one another, each circle once. Type imports count. */
export function findCircles(files: readonly SourceFile[]): string[][] {
  const targets = new Map(
    files.map(({ path, text }) => [
      path,
      importsOf(text).flatMap(({ specifier: name }) =>
        name.startsWith('.') ? [posix.join(posix.dirname(path), name)] : [],
      ),
    ]),
  )
  const circles: string[][] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) circles.push(trail.slice(start))
    if (start >= 0 || done.has(path)) return
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of targets.keys()) visit(path, [])
  return circles
}

/** Names of units and paths of the table without a file. */
export function findUnused(files: readonly SourceFile[]): string[] {
  const isUsed = (folder: string): boolean => files.some(({ path }) => isBelow(path, folder))
  const names = new Set(ranks.map(({ name }) => name))
  const paths = [...ranks.flatMap((unit) => unit.paths), ...packages.flatMap((rule) => rule.paths), ...toolFolders]
  return [
    ...paths.filter((path) => !path.endsWith('.json') && !isUsed(path)),
    ...[...[onlyImports, onlyImportedBy].flatMap((rule) => Object.entries(rule).flat(2)), ...separateUnits].filter(
      (name) => !names.has(name),
    ),
  ]
}
