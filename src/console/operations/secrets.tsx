// What operators must not look up, nor put into the address: it stays in the history, and a reload sends it.

/** Ids have no such beginning; tokens of Plaid and secrets of this deployment do. */
export const isToken = (text: string): boolean => /^(?:link|public|access|secret)-|^(?:eyJ|wn_|whsec_)/.test(text)
export const isSecret = (text: string): boolean => isToken(text) && !/^(?:link|public)-/.test(text)

export const SecretRefused = () => (
  <p className="notice bad" role="alert">
    This is a secret. It was not sent: no secret is looked up.
  </p>
)
