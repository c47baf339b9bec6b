// Ids of the API.
/** For a field; of the whole text. */
export const uuidPattern = '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'

const uuid = new RegExp(`^${uuidPattern}$`)

/** A parameter of the address that may be an id. */
export const uuidOf = (text: string | null): string | undefined => (text !== null && uuid.test(text) ? text : undefined)

/** The account that the address names. Anything but an id means all accounts: the API would refuse it. */
export const accountIdIn = (params: URLSearchParams): string | undefined =>
  uuidOf(params.get('account_id'))?.toLowerCase()
