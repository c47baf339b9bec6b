// The file of an environment's secrets, which git ignores and whose copy belongs in a vault: Cloudflare shows no secret
// again. A value is in the file before it is anywhere else.
import { chmod, rename, writeFile } from 'node:fs/promises'
import { isAbsolute, join, relative } from 'node:path'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { misuse } from '../../dev/lib/run-command.ts'
import { readSecrets, type Values } from '../lib/deployment-values.ts'

/** The file of an environment. One inside the repository must have a name that git ignores. */
export function secretsFile(environment: string, given: string | undefined): string {
  if (given === undefined) return join(projectFolder, `.secrets.${environment}.json`)
  const file = isAbsolute(given) ? given : join(process.cwd(), given)
  const inside = relative(projectFolder, file)
  if (!inside.startsWith('..') && !isAbsolute(inside) && !/(?:^|[/\\])\.secrets\.[^/\\]+$/.test(inside))
    throw misuse(`${given} is in the repository, and git does not ignore it: name it .secrets.…, or put it elsewhere.`)
  return file
}

/** What the file holds, and nothing of the shell: a variable of another environment would be uploaded without a word. */
export const readFileSecrets = (file: string): Promise<Values> => readSecrets(file, {})

/** Writes all of the file, for its owner alone. A process that ends in between leaves the old file. */
export async function writeFileSecrets(file: string, secrets: Values): Promise<void> {
  const whole = `${file}.${process.pid}.new`
  await writeFile(whole, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flush: true })
  await chmod(whole, 0o600)
  await rename(whole, file)
}
