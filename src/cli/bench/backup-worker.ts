// The built Worker with backups, for the benchmark of backups.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { LoginUrls } from '../../dev/lib/bootstrap.ts'
import { buildBundle, noAssets } from '../../dev/lib/bundle.ts'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { startHere } from './linked-worker.ts'

export function workerVariables(logins: LoginUrls, endpoint: string, recipient: string): Record<string, string> {
  const secret = (): string => randomBytes(32).toString('base64')
  return {
    ENVIRONMENT: 'development',
    PLAID_ENV: 'sandbox',
    PLAID_CLIENT_ID: 'bench',
    PLAID_SECRET: secret(),
    PLAID_BASE_URL: 'http://127.0.0.1:9',
    PLAID_WEBHOOK_URL: 'http://127.0.0.1:9/api/v1/plaid/webhook',
    DATABASE_URL: logins.apiUrl,
    DATABASE_JOBS_URL: logins.jobsUrl,
    DATABASE_IDENTITY_URL: logins.identityUrl,
    DATABASE_BACKUP_URL: logins.backupUrl,
    DATABASE_ENDPOINT: endpoint,
    SECRET_KEY: secret(),
    ENCRYPTION_KEY: secret(),
    AUDIT_KEY: secret(),
    BACKUP_RECIPIENT: recipient,
  }
}

/** Starts the built Worker with its inspector. */
export async function startWorker(folder: string, variables: Readonly<Record<string, string>>) {
  const { entry } = await buildBundle(join(folder, 'built'))
  const worker = await startHere({
    config: join(projectFolder, 'wrangler.toml'),
    entrypoint: entry,
    build: { bundle: false },
    assets: await noAssets(folder),
    envFiles: ['/dev/null'],
    bindings: Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [name, { type: 'secret_text' as const, value }]),
    ),
    dev: {
      server: { hostname: '127.0.0.1', port: 0 },
      inspector: { hostname: '127.0.0.1', port: 0 },
      persist: join(folder, 'state'),
      watch: false,
      logLevel: 'none',
    },
  })
  await worker.ready
  const [url, inspector] = await Promise.all([worker.url, worker.inspectorUrl])
  if (inspector === undefined) throw new Error('The Worker has no inspector.')
  // The isolate exists with the first request.
  await fetch(new URL('/health', url))
  return { url: new URL(url).origin, inspectorUrl: inspector.href, dispose: () => worker.dispose() }
}
