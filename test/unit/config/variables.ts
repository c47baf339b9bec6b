// Valid variables of each environment, and why others are refused.
import { createHash } from 'node:crypto'
import { parseConfig } from '../../../src/config/config.ts'
import { AppError } from '../../../src/errors.ts'

/** 32 bytes that look random, as base64. */
export const key = (name: string): string => createHash('sha256').update(name).digest('base64')

export const development: Readonly<Record<string, unknown>> = {
  ENVIRONMENT: 'development',
  PLAID_ENV: 'sandbox',
  PLAID_CLIENT_ID: 'client',
  PLAID_SECRET: 'plaid-secret',
  PLAID_WEBHOOK_URL: 'http://127.0.0.1:8787/api/v1/plaid/webhook',
  DATABASE_URL: 'postgres://wn_api:one@127.0.0.1:5432/wn',
  DATABASE_JOBS_URL: 'postgres://wn_jobs:two@127.0.0.1:5432/wn',
  DATABASE_IDENTITY_URL: 'postgres://wn_identity:three@127.0.0.1:5432/wn',
  SECRET_KEY: key('signs'),
  ENCRYPTION_KEY: key('seals'),
}

/** The public key of age's own documentation. */
export const recipient = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'

/** The login that backups need. */
export const backups = { DATABASE_BACKUP_URL: 'postgres://wn_backup:four@db.neon.test/wn?sslmode=require' }

/** Variables that every mode of sign-in requires. */
export const alwaysRequired = Object.keys(development).filter((name) => name !== 'DATABASE_IDENTITY_URL')

export const email = {
  AUTH_EMAIL_URL: 'https://mail.test/send',
  AUTH_EMAIL_KEY: key('mails'),
  AUTH_EMAIL_FROM: 'Wealth <accounts@wealth.test>',
  AUTH_PUBLIC_URL: 'https://app.wealth.test/account',
}

export const strict: Readonly<Record<string, unknown>> = {
  ...development,
  ENVIRONMENT: 'production',
  PLAID_ENV: 'production',
  PLAID_WEBHOOK_URL: 'https://api.wealth.test/api/v1/plaid/webhook',
  DATABASE_URL: 'postgres://wn_api:one@db.neon.test/wn?sslmode=require',
  DATABASE_JOBS_URL: 'postgres://wn_jobs:two@db.neon.test/wn?sslmode=verify-full',
  DATABASE_IDENTITY_URL: 'postgres://wn_identity:three@db.neon.test/wn?sslmode=require',
  CORS_ORIGINS: '["https://app.wealth.test"]',
  AUDIT_KEY: key('audits'),
  BACKUP_RECIPIENT: 'none',
  SENTRY_DSN: 'none',
  ...email,
}

export const oidc = {
  AUTH_ISSUER: 'https://issuer.test/',
  AUTH_AUDIENCE: 'wealth',
  AUTH_JWKS_URL: 'https://issuer.test/jwks',
}

/** Variables that a strict environment requires of an issuer in addition. */
export const strictOidc = { ...oidc, AUTH_WRITE_SCOPE: 'accounts:write' }

/** Removes the variables of built-in accounts. */
export const noEmail = { AUTH_EMAIL_URL: '', AUTH_EMAIL_KEY: '', AUTH_EMAIL_FROM: '', AUTH_PUBLIC_URL: '' }

/** Why the variables are refused; null when they are accepted. */
export function refusalOf(variables: Readonly<Record<string, unknown>>): string | null {
  try {
    parseConfig(variables)
    return null
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'misconfigured') throw error
    return error.reason ?? ''
  }
}
