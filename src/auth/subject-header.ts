// Parses `WN-User`, in which an application names the user for whom its key acts.

/** The header in lower case. */
export const subjectHeader = 'wn-user'

/**
 * The id of a user as the application knows it: 1 to 255 characters of ASCII (OpenID Connect Core 1.0, §2, `sub`). Null
 * for any other text. Receivers decode other characters differently. A comma joins two headers of the same name, and
 * spaces around a value are removed on its way: with them, one user could be taken for another.
 */
export function parseSubject(value: string): string | null {
  return /^[!-+\--~](?:[ -+\--~]{0,253}[!-+\--~])?$/.test(value) ? value : null
}
