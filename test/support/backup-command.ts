// What the tests of backups share: the command, Debian's age, and databases to restore into.
import { execFile, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { Client } from 'pg'
import * as z from 'zod'
import { backupProgram } from '../../src/cli/lib/backup-program.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'

const run = promisify(execFile)

/** Whether Debian's package `age` is installed. */
export const hasAge = spawnSync('age', ['--version']).status === 0
if (!hasAge) process.stderr.write('The test with age does not run: install Debian’s package age.\n')

interface Outcome {
  readonly code: number
  readonly output: string
}

const failed = z.object({ code: z.number(), stdout: z.string(), stderr: z.string() })

/** Runs `npm run backup -- …`. Of a failure, the output includes the errors. */
export async function runBackupCommand(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
  try {
    const { stdout } = await run(process.execPath, [...backupProgram, ...args], { cwd: projectFolder, env })
    return { code: 0, output: stdout }
  } catch (error) {
    const { code, stdout, stderr } = failed.parse(error)
    return { code, output: `${stdout}${stderr}` }
  }
}

interface EmptyDatabases {
  /** The owner's URL of a new database without tables. */
  create(): Promise<string>
  dropAll(): Promise<void>
}

/** @param ownerUrl the URL of a database on the same server, whose login creates the others */
export function emptyDatabases(ownerUrl: () => string): EmptyDatabases {
  const names: string[] = []
  const execute = async (statement: string): Promise<void> => {
    const client = new Client(ownerUrl())
    await client.connect()
    await client.query(statement)
    await client.end()
  }
  return {
    async create() {
      const name = `wn_restored_${randomBytes(4).toString('hex')}`
      await execute(`create database ${name}`)
      names.push(name)
      return Object.assign(new URL(ownerUrl()), { pathname: `/${name}` }).href
    },
    async dropAll() {
      for (const name of names) await execute(`drop database ${name} with (force)`)
    },
  }
}
