import type { OperationTexts } from './text.ts'

export const systemTexts: OperationTexts = {
  health: {
    description: 'Returns 200 while the Worker runs. Checks no dependency and needs no configuration.',
    responses: { 200: 'The Worker runs.' },
    example: { response: { status: 'ok' } },
  },
  ready: {
    description:
      'Returns 200 when each database login reaches a migrated database with exactly its rights, and the ' +
      'encryption keys open the stored secrets. A frozen deployment is ready. Names the version of the ' +
      'Worker, which a deployment needs. Otherwise returns 503; the log has the reason.',
    responses: { 200: 'The deployment can serve requests.' },
    example: {
      response: {
        status: 'ready',
        frozen: false,
        version: '00000000-0000-4000-8000-000000000000',
        checks: {
          api_database: 'ok',
          jobs_database: 'ok',
          identity_database: 'ok',
          backup_database: 'ok',
          encryption_key: 'ok',
        },
      },
    },
  },
  getStatus: {
    description:
      'Returns whether changes are possible. While an operator has frozen the deployment, reads continue and ' +
      'changes get 503 `frozen`. A client can disable what changes something.',
    responses: { 200: 'Whether changes are possible.' },
    example: { response: { read_only: false } },
  },
  openapi: {
    description: 'Returns this document.',
    responses: { 200: 'An OpenAPI 3.1 document.' },
    example: { response: { openapi: '3.1.1', info: { title: 'WealthNavigator Edge', version: '0.1.0' }, paths: {} } },
  },
  securityTxt: {
    description:
      'Returns the contacts for vulnerability reports in the format of RFC 9116. Returns 404 unless the operator set `SECURITY_CONTACT`.',
    responses: { 200: 'The file `security.txt`.' },
    example: {
      response: 'Contact: mailto:security@example.com\nExpires: 2026-09-01T00:00:00.000Z\nPreferred-Languages: en\n',
    },
  },
  appleAppSiteAssociation: {
    description:
      'Returns the iOS apps that may open `/connect/return` on this host, in the format of Apple. Returns 404 ' +
      'unless the operator set `APPLE_APP_IDS`.',
    responses: { 200: 'The file `apple-app-site-association`.' },
    example: {
      response: {
        applinks: {
          details: [{ appIDs: ['ABCDE12345.com.example.app'], components: [{ '/': '/connect/return' }] }],
        },
      },
    },
  },
  androidAssetLinks: {
    description:
      'Returns the Android apps that may open links to this host, in the format of Google. Returns 404 unless ' +
      'the operator set `ANDROID_PACKAGE_NAMES`.',
    responses: { 200: 'The file `assetlinks.json`.' },
    example: {
      response: [
        {
          relation: ['delegate_permission/common.handle_all_urls'],
          target: {
            namespace: 'android_app',
            package_name: 'com.example.app',
            sha256_cert_fingerprints: [Array.from({ length: 32 }, () => 'AB').join(':')],
          },
        },
      ],
    },
  },
  receiveWebhook: {
    description:
      'Verifies the signature over the raw body, stores the event once and schedules the syncs it calls for. ' +
      'Needs exactly one of the two signature headers. Every rejected webhook gets the same 401.',
    body: 'The webhook as Plaid, or the relay of the operator, sent it. At most 1 MiB.',
    responses: { 200: 'The webhook is stored, or was stored before.' },
    example: {
      request: {
        webhook_type: 'TRANSACTIONS',
        webhook_code: 'SYNC_UPDATES_AVAILABLE',
        item_id: 'example-plaid-item-id',
        initial_update_complete: true,
        historical_update_complete: false,
        environment: 'sandbox',
      },
      response: {},
    },
  },
}
