// The pages of who has no session here: an account that begins, or whose password is forgotten.
export const paths = {
  signIn: '/',
  register: '/register',
  verify: '/register/confirm',
  forgot: '/new-password',
  reset: '/new-password/set',
} as const

export const isAccountPath = (pathname: string): boolean =>
  pathname !== paths.signIn && Object.values(paths).some((path) => path === pathname)
