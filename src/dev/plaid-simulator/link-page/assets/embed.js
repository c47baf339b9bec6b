// Reports to the page that embeds Link what happened, and leaves Link when that page asks. Both sides check the origin.
;(() => {
  const content = (name) => document.querySelector(`meta[name="plaid-simulator-${name}"]`)?.content
  const parentOrigin = content('parent')
  document.querySelector('[data-focus]')?.focus()
  if (!parentOrigin || window.parent === window) return

  for (const message of JSON.parse(content('messages') ?? '[]')) {
    window.parent.postMessage({ source: 'plaid-simulator', ...message }, parentOrigin)
  }

  // The dialog around the frame does not see the key.
  window.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') document.querySelector('a[href$="?leave"]')?.click()
  })

  window.addEventListener('message', ({ origin, source, data }) => {
    if (origin !== parentOrigin || source !== window.parent || data?.source !== 'plaid-simulator') return
    if (data.kind !== 'exit') return
    const form = document.createElement('form')
    form.method = 'post'
    form.action = data.path
    document.body.append(form)
    form.submit()
  })
})()
