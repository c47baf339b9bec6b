// An invented Cloudflare account in one file, for the fake wrangler and the loopback edge. Several processes change it:
// a folder that only one of them can create is the lock.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Version {
  id: string
  created_on: string
  tag: string | null
  message: string | null
  handlers: string[]
  migration_tag: string | null
  /** Names and values: each version keeps those that it was uploaded with. */
  secrets: Record<string, string>
}

export interface Worker {
  versions: Version[]
  /** Newest last. */
  deployments: {
    created_on: string
    message: string | null
    versions: { version_id: string; percentage: number }[]
  }[]
  secrets: Record<string, string>
  migration_tag: string | null
  crons: string[]
}

/** A command that does not do as it should. */
export interface Fault {
  /** Such as `versions deploy`. */
  command: string
  /** A text that one of its positional arguments contains. */
  argument?: string
  error?: string
  /** The command has its effect, then fails: the response is lost. */
  afterwards?: boolean
  /** How often it occurs; endless without. */
  times?: number
  /** Ends the process that started wrangler, as `kill -9` does, before the command has an effect. */
  killsParent?: boolean
}

export interface Account {
  workers: Record<string, Worker>
  /** The retention in seconds of each queue. */
  queues: Record<string, number>
  buckets: Record<string, { name: string; prefix: string; days: number }[]>
  faults: Fault[]
  /** The ids of the versions that are uploaded next; random ones after them. */
  nextIds: string[]
}

const fileOf = (folder: string): string => join(folder, 'account.json')
const wait = (milliseconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

export function emptyAccount(): Account {
  return { workers: {}, queues: {}, buckets: {}, faults: [], nextIds: [] }
}

export function readAccount(folder: string): Account {
  // Only this file's functions write it, and a schema would double the time that each call takes.
  return JSON.parse(readFileSync(fileOf(folder), 'utf8')) as Account
}

export function writeAccount(folder: string, account: Account): void {
  const whole = `${fileOf(folder)}.${process.pid}`
  writeFileSync(whole, JSON.stringify(account, null, 2))
  renameSync(whole, fileOf(folder))
}

/** Changes the account while no other process does. What `change` throws leaves it as it was. */
export function changeAccount<T>(folder: string, change: (account: Account) => T): T {
  const lock = join(folder, 'lock')
  for (let attempt = 0; ; attempt += 1) {
    try {
      mkdirSync(lock)
      break
    } catch (error) {
      if (attempt > 2000) throw error
      wait(5)
    }
  }
  try {
    const account = readAccount(folder)
    const result = change(account)
    writeAccount(folder, account)
    return result
  } finally {
    rmSync(lock, { recursive: true })
  }
}
