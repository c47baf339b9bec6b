// Reads the text of a form's field.
export const fieldText = (data: FormData, name: string): string => {
  const value = data.get(name)
  return typeof value === 'string' ? value : ''
}

/** Without blanks around it; null for an empty field, which clears what is stored. */
export const fieldTextOrNull = (data: FormData, name: string): string | null => fieldText(data, name).trim() || null

/** Of a password, as the API requires. */
export const fewestCharacters = 15
