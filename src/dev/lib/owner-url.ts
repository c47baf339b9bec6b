// Reads the URL of the database's owner, for commands that work on the database directly.
import { misuse } from './run-command.ts'

export function ownerUrl(): string {
  const url = process.env['MIGRATE_DATABASE_URL']
  if (!url) throw misuse("MIGRATE_DATABASE_URL is not set: give it the owner's postgres:// URL.")
  if (URL.parse(url) === null)
    throw misuse('MIGRATE_DATABASE_URL is no URL: write postgres://user:password@host/database.')
  return url
}
