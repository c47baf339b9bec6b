const lastCharacters = 500

/** The end of a command's output, where its error is. */
export const lastOf = (output: string): string => output.trim().slice(-lastCharacters)
