// Creates applications. The holder of a key can act for every user of the application's issuer.
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import { type Application, insertApplication } from '../db/applications/applications.ts'
import { AppError } from '../errors.ts'
import { requireApiKeys } from './require-api-keys.ts'

/** Of an application that names no issuer. Its users are its own. */
const ownIssuer = (id: string): string => `urn:wealthnavigator-edge:application:${id}`

/**
 * An https URL, as an identity provider has. Never the issuer of this deployment's built-in accounts: a key would do what
 * their passwords and second factors protect.
 */
function isIssuer(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && url.protocol === 'https:' && /^[!-~]+$/.test(text) && url.username === '' && url.hash === ''
}

/** @throws AppError `validation_failed` for an issuer that no application may have; `conflict` for too many applications */
export async function createApplication(ctx: Ctx<User>, name: string, issuer: string | null): Promise<Application> {
  requireApiKeys(ctx)
  const { services } = ctx
  const { auth } = services.config
  const isProviders = auth.mode === 'oidc' && issuer === auth.issuer
  if (issuer !== null && !isProviders && !isIssuer(issuer))
    throw new AppError('validation_failed', 'The request body is not valid.', {
      fields: [{ pointer: '#/issuer', detail: 'Must be an https URL without a login or a fragment.' }],
    })
  const id = services.newId()
  const row = await audit(ctx, { action: 'application_created', target: id })
  const application = await insertApplication(services.jobs, { id, name, issuer: issuer ?? ownIssuer(id) }, row)
  if (application === null) throw new AppError('conflict', 'There are too many applications.')
  return application
}
