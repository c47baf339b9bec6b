// A link to another page of the console. Keeps what browsers do with modified clicks.
import type { ComponentProps, MouseEvent } from 'react'
import { navigate } from './location.ts'

type LinkProps = Omit<ComponentProps<'a'>, 'href'> & { readonly to: string }

const isPlainClick = (event: MouseEvent): boolean =>
  event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey

export function Link({ to, onClick, ...rest }: LinkProps) {
  return (
    <a
      {...rest}
      href={to}
      onClick={(event) => {
        onClick?.(event)
        if (event.defaultPrevented || !isPlainClick(event)) return
        event.preventDefault()
        navigate(to)
      }}
    />
  )
}
