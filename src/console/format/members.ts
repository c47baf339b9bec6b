// Members of an object whose members the API does not declare: any may be absent or of another type.
export type Members = Readonly<Record<string, unknown>>

/** Null for anything but a text that is not empty. */
export const textIn = (members: Members, name: string): string | null => {
  const value = members[name]
  return typeof value === 'string' && value !== '' ? value : null
}

export const objectIn = (members: Members, name: string): Members => {
  const value = members[name]
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

export const listIn = (members: Members, name: string): readonly Members[] => {
  const value = members[name]
  return Array.isArray(value)
    ? value.flatMap((row: unknown) => (typeof row === 'object' && row !== null ? { ...row } : []))
    : []
}
