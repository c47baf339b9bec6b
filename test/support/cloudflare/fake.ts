// An invented Cloudflare account for one test, and how the port reaches it.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'
import { nullIfMissing } from '../../../src/dev/lib/missing.ts'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'
import type { runWrangler, WranglerOptions } from '../../../src/dev/lib/wrangler.ts'
import { callFake } from './fake-wrangler.ts'
import { type Account, changeAccount, emptyAccount, type Fault, readAccount, writeAccount } from './account.ts'

/** The script that takes wrangler's place. */
export const fakeWrangler = join(import.meta.dirname, 'fake-wrangler.ts')

export interface FakeCloudflare {
  readonly folder: string
  /** For `createCloudflare`. */
  readonly options: WranglerOptions
  /** Runs the fake in this process, which is faster: the last argument of `createCloudflare`. */
  readonly start: typeof runWrangler
  /** For a command that runs as its own process. */
  readonly environment: Readonly<Record<string, string>>
  readonly account: () => Account
  readonly change: (change: (account: Account) => void) => void
  readonly addFault: (fault: Fault) => void
  /** The arguments of each call, without `--env` and `-c`. */
  readonly calls: () => Promise<string[]>
  readonly end: () => Promise<void>
}

export async function createFakeCloudflare(): Promise<FakeCloudflare> {
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-cloudflare-'))
  writeAccount(folder, emptyAccount())
  const variables = { FAKE_CLOUDFLARE: folder }
  return {
    folder,
    options: { program: fakeWrangler, variables },
    start: (args, _, options) => {
      const config = options?.config ?? join(projectFolder, 'wrangler.toml')
      const events = options?.variables?.['WRANGLER_OUTPUT_FILE_PATH']
      const call = { folder, events, input: () => options?.input ?? '' }
      return Promise.resolve().then(() => callFake([...args, '-c', config], call))
    },
    environment: { ...variables, WRANGLER: fakeWrangler },
    account: () => readAccount(folder),
    change: (change) => changeAccount(folder, change),
    addFault: (fault) => changeAccount(folder, ({ faults }) => void faults.push(fault)),
    calls: async () => {
      const text = (await readFile(join(folder, 'calls.jsonl'), 'utf8').catch(nullIfMissing)) ?? ''
      const lines = text.split('\n').filter((line) => line !== '')
      return lines.map((line) => {
        const args = z.array(z.string()).parse(JSON.parse(line))
        // The console's folder is temporary.
        const shown = args.map((arg, index) => (args[index - 1] === '--assets' ? 'FOLDER' : arg))
        return shown.slice(0, shown.indexOf('--env')).join(' ')
      })
    },
    end: () => rm(folder, { recursive: true, force: true }),
  }
}
