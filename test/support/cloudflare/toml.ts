// The few values of wrangler.toml that Cloudflare's side needs. The fake wrangler starts often, and wrangler's own reader
// takes a second to load.
import { readFileSync } from 'node:fs'

export interface Declared {
  readonly workerName: string
  readonly migrationTags: readonly string[]
  readonly crons: readonly string[]
  readonly requiredSecrets: readonly string[]
}

const quoted = (text: string): string[] => [...text.matchAll(/"([^"]*)"/g)].map((found) => found[1] ?? '')

/** Requires that a table of an environment begins with `[env.NAME.` and that each comment has its line. */
export function readDeclared(file: string, environment: string): Declared {
  const text = readFileSync(file, 'utf8').replaceAll(/^#.*$/gm, '')
  const name = /^name = "([^"]+)"/m.exec(text)?.[1] ?? ''
  const tables = text.split(/^(?=\[)/m)
  const of = (table: string): string[] => tables.filter((part) => part.startsWith(`${table}\n`))
  const migrations = of(`[[env.${environment}.migrations]]`)
  const list = (table: string, key: string): string[] =>
    of(table).flatMap((part) => quoted(new RegExp(`^${key} = \\[([^\\]]*)\\]`, 'm').exec(part)?.[1] ?? ''))
  return {
    workerName: `${name}-${environment}`,
    migrationTags: migrations.map((part) => /^tag = "([^"]+)"/m.exec(part)?.[1] ?? ''),
    crons: list(`[env.${environment}.triggers]`, 'crons'),
    requiredSecrets: list(`[env.${environment}.secrets]`, 'required'),
  }
}
