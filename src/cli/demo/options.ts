// Parses and checks the demo's options before anything starts.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { misuse } from '../../dev/lib/run-command.ts'
import { tryCustomUser } from '../../dev/plaid-simulator/bank/open.ts'
import { isRecord, parseExact } from '../../dev/plaid-simulator/lib/exact-json.ts'

export interface CustomUser {
  /** The file's name without `.json`. */
  readonly name: string
  /** The file's text, passed to the bank unparsed. */
  readonly password: string
}

export interface Options {
  readonly customUsers: readonly CustomUser[]
  readonly json: boolean
  readonly seed: string | null
  /** How long a change may take to arrive in the API. */
  readonly timeoutMs: number
}

const longestWaitSeconds = 600

/** @throws Error of misuse that names the problem */
export async function readOptions(args: string[]): Promise<Options> {
  const options = {
    'custom-users': { type: 'string' },
    json: { type: 'boolean' },
    seed: { type: 'string' },
    wait: { type: 'string' },
  } as const
  const { values } = parseArgs({ args, options })
  const folder = values['custom-users']
  if (values.seed === '') throw misuse('--seed must not be empty.')
  return {
    customUsers: folder === undefined ? [] : await readCustomUsers(folder),
    json: values.json ?? false,
    seed: values.seed ?? null,
    timeoutMs: secondsOf(values.wait ?? '60') * 1000,
  }
}

function secondsOf(text: string): number {
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (seconds >= 1 && seconds <= longestWaitSeconds) return seconds
  throw misuse(`--wait ${text} must be a number of seconds from 1 to ${longestWaitSeconds}.`)
}

async function readCustomUsers(folder: string): Promise<CustomUser[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    const reason = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw misuse(`--custom-users ${folder} cannot be read${reason}: give a folder.`)
  })
  const files = names.filter((name) => name.endsWith('.json')).toSorted()
  if (files.length === 0) throw misuse(`--custom-users ${folder} holds no .json file.`)
  return await Promise.all(files.map((file) => readCustomUser(folder, file)))
}

/**
 * Opens the file's bank once as a check, because a stack takes long to start and Link's error would not name the file.
 */
async function readCustomUser(folder: string, file: string): Promise<CustomUser> {
  const path = join(folder, file)
  const password = await readFile(path, 'utf8')
  const problem = problemOf(password)
  if (problem !== null) throw misuse(`${path} ${problem}`)
  return { name: file.slice(0, -'.json'.length), password }
}

function problemOf(text: string): string | null {
  try {
    const customUser = parseExact(text)
    if (!isRecord(customUser)) return 'is not a JSON object.'
    tryCustomUser(customUser)
    return null
  } catch (error) {
    if (error instanceof SyntaxError) return 'is not a JSON object.'
    if (error instanceof RangeError) return `is no custom user: ${error.message}`
    throw error
  }
}
