// The rules for URLs of this deployment.
import type { Config } from '../config/config.ts'
import type { DestinationRules } from './destination.ts'

const hostOf = (url: string): string => URL.parse(url)?.hostname.replace(/\.+$/, '').toLowerCase() ?? ''

/** The Worker's own host name is that of the URL at which Plaid calls it. */
export function destinationRules({ environment, plaid, database, auth }: Config): DestinationRules {
  const own = [plaid.webhookUrl, plaid.baseUrl, database.apiUrl, database.jobsUrl]
  if (auth.mode === 'oidc') own.push(auth.jwksUrl)
  return { isDevelopment: environment === 'development', ownHosts: own.map(hostOf).filter((host) => host !== '') }
}
