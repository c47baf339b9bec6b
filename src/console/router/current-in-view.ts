// Where a navigation is wider than the page: brings the link to the current page into its middle.
import { type RefObject, useEffect } from 'react'
import { useLocation } from './location.ts'

export function useCurrentInView(nav: RefObject<HTMLElement | null>): void {
  const { pathname } = useLocation()
  useEffect(() => {
    const { current: list } = nav
    const link = list?.querySelector<HTMLElement>('[aria-current]') ?? null
    if (list !== null && link !== null)
      list.scrollLeft = link.offsetLeft - list.offsetLeft - (list.clientWidth - link.offsetWidth) / 2
  }, [nav, pathname])
}
