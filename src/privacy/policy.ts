// The privacy policy, with the operator's details in place of words in double braces. docs/privacy-policy.md shows the same
// text.

/** Raised by each change of the text. */
export const policyVersion = '1'

export const policyText = `# Privacy policy

## Who is responsible

{{operator}} is responsible for your data. Contact for questions, requests and complaints: {{contact}}.

## Which data, and why

| data | purpose | legal reason |
|---|---|---|
| your login: e-mail address, password hash, second factor, sessions | signing in | contract, GDPR article 6(1)(b) |
| the banks that you linked, your accounts, balances, transactions, holdings and liabilities | showing you your finances and keeping them up to date | contract |
| sums that are computed from them | insights | contract; you can opt out |
| errors of your requests, without amounts, names or your login | finding faults | legitimate interest, article 6(1)(f); you can opt out |
| your decision about e-mails on the product | sending them, only with your consent | consent, article 6(1)(a) |
| log lines with a pseudonym, and the audit trail | security | legitimate interest |

Your bank's credentials never reach this service. Plaid connects your bank and gives this service a token, which is stored encrypted.
Your data are not sold, and are not used for advertising or automated decisions.

## Who receives data

| recipient | what for | agreement |
|---|---|---|
| Plaid Inc. | connects your banks | Plaid's developer agreement and data processing terms |
| Cloudflare, Inc. | runs the service and its queues | Cloudflare's data processing addendum |
| Neon (Databricks, Inc.) | stores the database | Neon's data processing addendum |
| Functional Software, Inc. (Sentry), if error monitoring is on | reports of errors | Sentry's data processing addendum |
| the sender of e-mails, with built-in accounts | security e-mails, product e-mails with your consent | its data processing agreement |

## How long

Data stay until you remove the bank or have everything erased. What you removed is deleted {{removed_days}} days later. A bank that must be
linked again and is not, is removed after two years; the API shows the day. If you do not use the service for two years, everything is
erased. With a login of this service you get an e-mail 30 days before; with another login, no notice.
An erasure deletes everything at once. It leaves a hash of your login, your certificate and rows of the audit trail that no longer
name you; log lines and encrypted backups end with their own retention.

## Your rights

- A copy of your data: \`GET /api/v1/privacy/export\`.
- Erasure: \`POST /api/v1/privacy/erase\`. You get a signed certificate.
- Opting out of a purpose: \`PUT /api/v1/privacy/consents\`.
- Correction, restriction, objection and complaints: {{contact}}, or the data protection authority where you live.

Version {{version}}
`

export interface Operator {
  readonly name: string
  readonly contact: string
}

/** The policy of a deployment, in Markdown. */
export const policyOf = ({ name, contact }: Operator, removedDays: number): string =>
  policyText
    .replaceAll('{{operator}}', () => name)
    .replaceAll('{{contact}}', () => contact)
    .replaceAll('{{removed_days}}', `${removedDays}`)
    .replaceAll('{{version}}', policyVersion)
