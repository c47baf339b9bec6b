// The entry point of the pages.
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { openMailedLink } from './sign-in/mailed-code.ts'

openMailedLink()
window.addEventListener('hashchange', openMailedLink)

const root = document.getElementById('root')
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
