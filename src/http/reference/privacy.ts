import { type OperationTexts, page, paged, sample } from './text.ts'

const purposes = { linking_and_sync: true, insights: false, product_emails: false, diagnostics: true }
const consents = {
  version: 1,
  purposes,
  history: [{ version: 1, purposes, decided_at: sample.time }],
}

const erasure = {
  id: sample.row,
  status: 'erased',
  requested_at: sample.time,
  completed_at: sample.time,
  certificate: 'eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl',
}

/** Also used for an administrator's list. */
export const auditExample = {
  id: sample.row,
  at: sample.time,
  actor: 'user',
  action: 'item_removed',
  target_kind: 'item',
  target_id: sample.item,
  api_key: null,
  request_id: sample.run,
}

export const privacyTexts: OperationTexts = {
  listAudit: {
    description:
      "Returns what was done with the user's data, newest first: by the user, by administrators and by jobs, " +
      `and refused sign-ins. The user's own reads are not recorded. ${paged}`,
    responses: { 200: 'A page of the audit trail.' },
    example: { response: page(auditExample) },
  },
  exportData: {
    description:
      'Returns everything that is stored about the user, as a stream. JSON lines: the first line has ' +
      '`format`, `format_version`, `exported_at` and `user`; each other line has a `table` and a `row`; the ' +
      'last line has `complete: true` and the number of `rows` of each table. With `format=csv`, a zip ' +
      'archive with a CSV file for each table, and `manifest.json` with the same members at its end. A stream ' +
      'that breaks off lacks this end and is not complete. Amounts are exact decimals. In CSV, text that a ' +
      'spreadsheet would execute as a formula begins with an apostrophe. Sealed credentials and hashes of ' +
      'secrets are not exported. Each page of rows is consistent in itself; a row that changes during the ' +
      'export is exported in its old or its new state, and a transaction possibly in both, the new one last.',
    parameters: { format: '`jsonl` for JSON lines, `csv` for a zip archive of CSV files.' },
    responses: { 200: 'The export.' },
  },
  getPrivacyPolicy: {
    description:
      'Returns the privacy policy of the deployment, with the details of its operator. Its last line has the version of the text.',
    responses: { 200: 'The policy.' },
    example: { response: '# Privacy policy\n\n## Who is responsible\n\nExample Ltd. is responsible for your data. …' },
  },
  eraseData: {
    description:
      'Erases the user: deletes the built-in account, removes every item and the user at Plaid, and deletes ' +
      'all data. With a built-in account, needs the password. Access tokens of the user are refused from then ' +
      'on, also those of an OIDC issuer that were issued before; a later token of the same subject begins as ' +
      'a new user, a minute after the erasure. Returns 200 with a signed certificate when everything is done, ' +
      'or 202 while it continues in the background, for example while Plaid is unavailable. A repeated ' +
      'request returns the state of the same erasure. Keep the `id`: with it, the certificate can be read ' +
      'without a token.',
    body: 'The password of a built-in account. Other users send an empty object.',
    responses: { 200: 'The user is erased.', 202: 'The erasure continues in the background.' },
    example: { request: { password: 'correct horse battery staple' }, response: erasure },
  },
  getErasure: {
    description:
      'Returns the state of an erasure and, when it is complete, its certificate: a JWS with the time, the ' +
      'number of deleted rows of each table, and what is kept and why. Needs no token, because an erased user ' +
      'has none; the id cannot be guessed and names no user. `npm run erasure -- verify FILE` verifies a ' +
      'certificate.',
    parameters: { id: 'The id that the erasure returned.' },
    responses: { 200: 'The erasure.' },
    example: { response: erasure },
  },
  getConsents: {
    description:
      'Returns which purposes the user allows, and the history of these decisions. Until the first decision, ' +
      '`version` is 0, and everything but `product_emails` is allowed.',
    responses: { 200: 'The consents.' },
    example: { response: consents },
  },
  putConsents: {
    description:
      'Replaces the decisions of the user. `version` must be the newest one, otherwise the request fails with ' +
      '`conflict`; a repeated request changes nothing. Without `linking_and_sync`, items are no longer ' +
      'synced, and link tokens, exchanges and syncs fail with `purpose_not_allowed`. Without `insights`, ' +
      'insights fail with it. Without `diagnostics`, errors of the user’s requests are not reported to the ' +
      'error monitoring.',
    body: 'The version that the client has read, and a decision about every purpose.',
    responses: { 200: 'The new consents.' },
    example: { request: { version: 0, purposes }, response: consents },
  },
}
