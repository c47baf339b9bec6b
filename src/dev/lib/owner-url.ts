// The database's owner, as every command that works on the database itself is given it.
import { misuse } from './run-command.ts'

export function ownerUrl(): string {
  const url = process.env['MIGRATE_DATABASE_URL']
  if (!url) throw misuse("MIGRATE_DATABASE_URL is not set: give it the owner's postgres:// URL.")
  if (URL.parse(url) === null)
    throw misuse('MIGRATE_DATABASE_URL is no URL: write postgres://user:password@host/database.')
  return url
}
