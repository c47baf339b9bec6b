// The fields that several forms for signed-out people have.
import { fewestCharacters } from '../ui/form.ts'
import { Field, focusOn } from './form.tsx'

export const EmailField = () => (
  <Field label="E-mail">
    <input ref={focusOn} type="email" name="email" autoComplete="username" maxLength={254} required />
  </Field>
)

/** @param code of the link in the e-mail; empty without one */
export const CodeField = ({ code }: { readonly code: string }) => (
  <Field label="Code from the e-mail">
    <input
      ref={focusOn}
      name="code"
      defaultValue={code}
      autoComplete="one-time-code"
      spellCheck={false}
      maxLength={64}
      required
    />
  </Field>
)

export const NewPasswordField = ({ label }: { readonly label: string }) => (
  <Field label={label} hint={`At least ${fewestCharacters} characters, of any kind.`}>
    <input
      type="password"
      name="password"
      autoComplete="new-password"
      minLength={fewestCharacters}
      maxLength={256}
      required
    />
  </Field>
)
