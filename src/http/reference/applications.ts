import { type OperationTexts, page, paged, sample } from './text.ts'

/** Obviously no key: its checksum is wrong. */
const exampleKey = 'wn_test_example'

const keyExample = {
  id: sample.row,
  name: 'Production server',
  prefix: 'wn_test_4GkP0sQz',
  scopes: ['read', 'write', 'link'],
  networks: ['192.0.2.0/24'],
  created_at: sample.time,
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
}
const applicationId = '88888888-8888-4888-8888-888888888888'
const adminKeyExample = { ...keyExample, application_id: applicationId, user_id: null }
const applicationExample = {
  id: applicationId,
  name: 'Budget app',
  issuer: 'https://login.example.com/',
  created_at: sample.time,
}
const keysOnly = 'Exists with `API_KEYS=on` only. An API key cannot call this.'
const repeated =
  'With an `Idempotency-Key`, a repeated request creates no second key: it gets 409 with the id and the ' +
  'prefix of the first one in `api_key`.'

export const applicationTexts: OperationTexts = {
  listApiKeys: {
    description: `Returns the caller’s own API keys, oldest first. ${paged} ${keysOnly}`,
    responses: { 200: 'A page of API keys.' },
    example: { response: page(keyExample) },
  },
  createApiKey: {
    description:
      'Creates an API key that acts for the caller and for no one else. The response contains the key, which is ' +
      `shown once. ${repeated} ${keysOnly}`,
    body: 'The key.',
    responses: { 201: 'The key, with its text.' },
    example: {
      request: { name: 'Spreadsheet', scopes: ['read'], expires_in_days: 30 },
      response: { ...keyExample, name: 'Spreadsheet', scopes: ['read'], networks: [], key: exampleKey },
    },
  },
  revokeApiKey: {
    description: `Ends one of the caller’s API keys immediately, and every token that it issued. Repeating it changes nothing. ${keysOnly}`,
    parameters: { id: 'The id of the key.' },
    responses: { 204: 'The key is revoked.' },
  },
  createToken: {
    description:
      'Creates a short token for a client of the user, such as a mobile app or a page. The request is sent ' +
      'with an API key, and with `WN-User` if the key is an application’s. The token acts for that user, with ' +
      'rights of the key alone, until it expires, the key is revoked, or the user is erased. Creates the user ' +
      'if they are new.',
    body: 'The rights and the life of the token. An empty body takes the defaults.',
    responses: { 200: 'The token.' },
    example: {
      request: { scopes: ['read'], expires_in: 300 },
      response: { access_token: 'example-token', token_type: 'Bearer', expires_in: 300, scope: 'read' },
    },
  },
  adminListApplications: {
    description: `Returns the applications, oldest first. ${paged} ${keysOnly}`,
    responses: { 200: 'A page of applications.' },
    example: { response: page(applicationExample) },
  },
  adminCreateApplication: {
    description: `Creates an application. Its keys act for every user of its issuer: the holder of a key can be any of them. ${keysOnly}`,
    body: 'The application.',
    responses: { 201: 'The application.' },
    example: { request: { name: 'Budget app' }, response: applicationExample },
  },
  adminListApiKeys: {
    description: `Returns the API keys of all applications and users, oldest first. ${paged} ${keysOnly}`,
    responses: { 200: 'A page of API keys.' },
    example: { response: page(adminKeyExample) },
  },
  adminCreateApiKey: {
    description: `Creates an API key of an application. The response contains the key, which is shown once. ${repeated} ${keysOnly}`,
    body: 'The key.',
    responses: { 201: 'The key, with its text.' },
    example: {
      request: { application_id: applicationId, name: 'Production server', scopes: ['read', 'write', 'link'] },
      response: { ...adminKeyExample, key: exampleKey },
    },
  },
  adminRevokeApiKey: {
    description: `Ends any API key immediately, and every token that it issued. Repeating it changes nothing. ${keysOnly}`,
    parameters: { id: 'The id of the key.' },
    responses: { 204: 'The key is revoked.' },
  },
}
