// The files by which iOS and Android recognize that links to this host may open the operator's apps. Plaid returns users of a
// mobile app through such a link.
import * as z from 'zod'
import { AppError } from '../../../errors.ts'
import { publicRoute } from '../../route.ts'

/** Where a bank or Hosted Link returns a user. Apps open no other path of this host. */
const returnPath = '/connect/return'

const files = {
  method: 'GET',
  tags: ['meta'],
  errors: ['not_found'],
  // Apple and Google read the file through their caches.
  cacheControl: 'public, max-age=3600',
} as const

const appleSchema = z.object({
  applinks: z.object({
    details: z.array(z.object({ appIDs: z.array(z.string()), components: z.array(z.object({ '/': z.string() })) })),
  }),
})

/** https://developer.apple.com/documentation/xcode/supporting-associated-domains */
export const appleAppLinksRoute = publicRoute({
  ...files,
  id: 'appleAppSiteAssociation',
  path: '/.well-known/apple-app-site-association',
  summary: 'Get the associated iOS apps',
  answers: { 200: appleSchema },
}).handle(({ services }) => {
  const { appleAppIds } = services.config.appLinks
  if (appleAppIds.length === 0) throw new AppError('not_found', 'This deployment has no iOS app.')
  const details = [{ appIDs: [...appleAppIds], components: [{ '/': returnPath }] }]
  return Promise.resolve({ status: 200, body: { applinks: { details } } })
})

const statementSchema = z.object({
  relation: z.array(z.string()),
  target: z.object({
    namespace: z.literal('android_app'),
    package_name: z.string(),
    sha256_cert_fingerprints: z.array(z.string()),
  }),
})

/** https://developers.google.com/digital-asset-links/v1/statements */
export const androidAppLinksRoute = publicRoute({
  ...files,
  id: 'androidAssetLinks',
  path: '/.well-known/assetlinks.json',
  summary: 'Get the associated Android apps',
  answers: { 200: z.array(statementSchema) },
}).handle(({ services }) => {
  const { androidPackages, androidFingerprints } = services.config.appLinks
  if (androidPackages.length === 0) throw new AppError('not_found', 'This deployment has no Android app.')
  const body = androidPackages.map((name) => ({
    relation: ['delegate_permission/common.handle_all_urls'],
    target: {
      namespace: 'android_app' as const,
      package_name: name,
      sha256_cert_fingerprints: [...androidFingerprints],
    },
  }))
  return Promise.resolve({ status: 200, body })
})
