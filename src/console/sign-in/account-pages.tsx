// The pages of an account that begins, or whose password is forgotten. What the person has typed is in memory alone: after a reload,
// the page of the code asks for it again.
import { useState } from 'react'
import { navigate, useLocation } from '../router/location.ts'
import { forgetMailedCode, useMailedCode } from './mailed-code.ts'
import { Register, Verify } from './new-account.tsx'
import { Forgot, Reset } from './new-password.tsx'
import { paths } from './paths.ts'

interface Typed {
  readonly email: string | null
  readonly password: string | null
}

const nothing: Typed = { email: null, password: null }

export default function AccountPages() {
  const { pathname } = useLocation()
  const [typed, setTyped] = useState(nothing)
  const mailed = (given: Typed, next: string): void => {
    forgetMailedCode(next === paths.verify ? 'verify-email' : 'reset-password')
    setTyped(given)
    navigate(next)
  }
  // A code works once, so neither this page nor the way back keeps it.
  const leave = (): void => {
    setTyped(nothing)
    forgetMailedCode('verify-email')
    forgetMailedCode('reset-password')
    navigate(paths.signIn, { replace: true })
  }
  const codes = { verify: useMailedCode('verify-email'), reset: useMailedCode('reset-password') }
  // A link may be of another e-mail than the one that was asked for here.
  const givenWith = (code: string): Typed => (code === '' ? typed : nothing)
  switch (pathname) {
    case paths.register:
      return <Register onMailed={(email, password) => mailed({ email, password }, paths.verify)} />
    case paths.verify:
      return <Verify key={codes.verify} {...givenWith(codes.verify)} code={codes.verify} onDone={leave} />
    case paths.forgot:
      return <Forgot onMailed={(email) => mailed({ email, password: null }, paths.reset)} />
    default:
      return <Reset key={codes.reset} email={givenWith(codes.reset).email} code={codes.reset} onDone={leave} />
  }
}
