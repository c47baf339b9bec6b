import { type OperationTexts, page, sample } from './text.ts'

const mailed = 'The response does not reveal whether the address is known.'
const cookiePage = 'With `transport: "cookie"`, the page and the API must be on the same site.'
const password = 'example passphrase of a user'
const tokens = {
  access_token: 'example-access-token',
  token_type: 'Bearer',
  expires_in: 900,
  refresh_token: 'example-refresh-token',
}
const signedIn = { ...tokens, device_token: 'example-device-token' }

export const authTexts: OperationTexts = {
  register: {
    description: `Sends a verification e-mail. The account is created when its address is verified. ${mailed}`,
    body: 'The e-mail address and the password of the new account.',
    responses: { 202: 'An e-mail is sent, unless the limits on e-mails withhold it.' },
    example: { request: { email: 'alice@example.com', password }, response: { status: 'mail_sent' } },
  },
  verifyEmail: {
    description: `Creates the account and returns a session. Needs the code from the e-mail and the registered password. ${cookiePage}`,
    body: 'The code and the registered password.',
    responses: { 200: 'A new session of the new account.' },
    example: { request: { code: 'EXAMPLE-CODE', password, transport: 'body' }, response: signedIn },
  },
  login: {
    description:
      'Creates a session and returns its access token and refresh token. An account with a second factor also ' +
      `needs \`code\`. ${cookiePage}`,
    body: 'The credentials, and options of the session.',
    responses: { 200: 'A new session.' },
    example: {
      request: { email: 'alice@example.com', password, code: '123456', scope: 'full', transport: 'body' },
      response: signedIn,
    },
  },
  refreshSession: {
    description:
      'Exchanges a refresh token, from the body or the cookie, for a new access token and refresh token. A ' +
      'refresh token works once: for ten seconds it returns the same successor again; later reuse ends the ' +
      'session.',
    body: 'The refresh token. Omit the body to use the cookie.',
    responses: { 200: 'The new tokens of the session.' },
    example: { request: { refresh_token: 'example-refresh-token' }, response: tokens },
  },
  logout: {
    description: 'Ends the session of a refresh token from the body or the cookie, and removes the cookie.',
    body: 'The refresh token. Omit the body to use the cookie.',
    responses: { 204: 'The session has ended.' },
    example: { request: { refresh_token: 'example-refresh-token' } },
  },
  forgotPassword: {
    description: `Sends an e-mail with a code to set a new password. ${mailed}`,
    body: 'The e-mail address of the account.',
    responses: { 202: 'An e-mail is sent, unless the limits on e-mails withhold it.' },
    example: { request: { email: 'alice@example.com' }, response: { status: 'mail_sent' } },
  },
  resetPassword: {
    description: 'Sets a new password and ends every session. Needs the code from the e-mail. Keeps the second factor.',
    body: 'The code and the new password.',
    responses: { 204: 'The password is set.' },
    example: { request: { code: 'EXAMPLE-CODE', new_password: password } },
  },
  logoutAll: {
    description: 'Ends all sessions of the user, the current one included.',
    responses: { 204: 'All sessions have ended.' },
  },
  changePassword: {
    description:
      'Sets a new password, ends every other session and sends a notice by e-mail. Needs the current password.',
    body: 'The current password and the new one.',
    responses: { 204: 'The password is changed.' },
    example: { request: { current_password: password, new_password: 'another example passphrase' } },
  },
  enrollTotp: {
    description:
      'Creates a secret for an authenticator app. The second factor takes effect when the secret is confirmed. Needs the password.',
    body: 'The password of the account.',
    responses: { 200: 'The secret. It cannot be read again.' },
    example: {
      request: { password },
      response: {
        secret: 'EXAMPLESECRET234567',
        otpauth_uri: 'otpauth://totp/WealthNavigator:alice%40example.com?secret=EXAMPLESECRET234567',
      },
    },
  },
  confirmTotp: {
    description:
      'Turns the second factor on, ends every other session and sends a notice by e-mail. Needs a code of the ' +
      'enrolled secret. Returns recovery codes.',
    body: 'A code from the authenticator app.',
    responses: { 200: 'The recovery codes. They cannot be read again.' },
    example: {
      request: { code: '123456' },
      response: { recovery_codes: ['example-recovery-code-1', 'example-recovery-code-2'] },
    },
  },
  disableTotp: {
    description:
      'Turns the second factor off and sends a notice by e-mail. Needs the password and a code of the authenticator or a recovery code.',
    body: 'The password and a code.',
    responses: { 204: 'The second factor is off.' },
    example: { request: { password, code: '123456' } },
  },
  listSessions: {
    description: 'Returns the sessions of the account in one page, oldest first. An account has at most 50.',
    responses: { 200: 'The sessions.' },
    example: {
      response: page({
        id: sample.row,
        current: true,
        scope: 'full',
        created_at: sample.time,
        last_used_at: sample.time,
        expires_at: '2026-03-09T09:30:00.000Z',
      }),
    },
  },
  endSession: {
    description: 'Ends one session of the account.',
    parameters: { id: 'The id of the session.' },
    responses: { 204: 'The session has ended.' },
  },
}
