// Where Hosted Link returns.
export const returnPath = '/connect/return'
