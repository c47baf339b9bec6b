// A stand-in for Plaid's link-initialize.js (https://plaid.com/docs/link/web/): `Plaid.create` with the same options,
// methods and callbacks. It shows the simulator's pages in a dialog.
;(() => {
  const simulator = new URL(document.currentScript.src).origin
  const nothing = () => undefined

  /** The dialog with Link's frame. Styled by properties, which a content security policy without inline styles allows. */
  function openDialog(url, onCancel) {
    const dialog = document.createElement('dialog')
    dialog.id = 'plaid-link-simulator'
    dialog.setAttribute('aria-label', 'Plaid Link (simulator)')
    Object.assign(dialog.style, {
      width: 'min(26rem, 100vw)',
      height: 'min(44rem, 100dvh)',
      maxWidth: '100vw',
      maxHeight: '100dvh',
      padding: '0',
      border: '0',
      borderRadius: '12px',
      overflow: 'hidden',
      boxShadow: '0 12px 48px rgb(0 0 0 / 40%)',
    })
    const frame = document.createElement('iframe')
    frame.title = 'Plaid Link (simulator)'
    frame.src = url
    Object.assign(frame.style, { width: '100%', height: '100%', border: '0', display: 'block' })
    dialog.append(frame)
    document.body.append(dialog)
    // Escape asks whether to leave, as Link's own button does.
    dialog.addEventListener('cancel', (event) => {
      event.preventDefault()
      onCancel()
    })
    dialog.showModal()
    return { dialog, frame }
  }

  function create(options) {
    const { token, receivedRedirectUri, onSuccess, onExit = nothing, onEvent = nothing, onLoad = nothing } = options
    if (typeof token !== 'string' || token === '') throw new Error('Plaid.create: token must be a link token')
    if (typeof onSuccess !== 'function') throw new Error('Plaid.create: onSuccess must be a function')
    const path = `/hl/${encodeURIComponent(token)}`
    let view = null
    let destroyed = false

    function close() {
      view?.dialog.remove()
      view = null
    }

    const handlers = {
      event: ({ name, metadata }) => onEvent(name, metadata),
      success({ public_token, metadata }) {
        close()
        onSuccess(public_token, metadata)
      },
      exit({ error, metadata }) {
        close()
        onExit(error, metadata)
      },
      // The bank's page cannot be framed at real banks, so the whole window goes there.
      oauth: ({ path: bankPath }) => {
        const target = new URL(bankPath, simulator)
        if (target.origin === simulator) window.location.assign(target)
      },
    }

    function receive({ origin, source, data }) {
      if (origin !== simulator || view === null || source !== view.frame.contentWindow) return
      if (data?.source === 'plaid-simulator' && Object.hasOwn(handlers, data.kind)) handlers[data.kind](data)
    }
    window.addEventListener('message', receive)
    queueMicrotask(() => {
      if (!destroyed) onLoad()
    })

    function frameUrl() {
      const url = new URL(`${path}/embed`, simulator)
      url.searchParams.set('origin', window.location.origin)
      const state = receivedRedirectUri ? new URL(receivedRedirectUri).searchParams.get('oauth_state_id') : null
      if (state !== null) url.searchParams.set('oauth_state_id', state)
      return url.href
    }

    return {
      open() {
        if (destroyed || view !== null) return
        view = openDialog(frameUrl(), () => this.exit())
      },
      /** Asks the user first, unless `force` is true. */
      exit({ force = false } = {}) {
        if (view === null) return
        if (!force) view.frame.src = `${simulator}${path}?leave`
        else
          view.frame.contentWindow.postMessage(
            { source: 'plaid-simulator', kind: 'exit', path: `${path}/exit` },
            simulator,
          )
      },
      /** Removes Link without a callback. */
      destroy() {
        destroyed = true
        window.removeEventListener('message', receive)
        close()
      },
      /** For Plaid's Layer, which the simulator does not have. */
      submit() {
        const metadata = { link_session_id: '', request_id: '', timestamp: new Date().toISOString() }
        onEvent('LAYER_NOT_AVAILABLE', metadata)
      },
    }
  }

  window.Plaid = Object.freeze({ create })
})()
