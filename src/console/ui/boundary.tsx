// Catches what a page throws, so that the rest of the console stays. A script that is gone belongs to an earlier release.
import { Component, type ReactNode } from 'react'

interface BoundaryState {
  readonly error: Error | null
}

const isMissingScript = (error: Error): boolean =>
  /dynamically imported module|Importing a module script/i.test(error.message)

export class Boundary extends Component<{ readonly children: ReactNode }, BoundaryState> {
  override state: BoundaryState = { error: null }

  static getDerivedStateFromError(error: unknown): BoundaryState {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }

  override render(): ReactNode {
    const { error } = this.state
    if (error === null) return this.props.children
    return (
      <div className="state" role="alert">
        <h1>{isMissingScript(error) ? 'The console has been updated' : 'This page could not be shown'}</h1>
        <p>{isMissingScript(error) ? 'Load it again to get the new version.' : error.message}</p>
        <button type="button" className="button primary" onClick={() => window.location.reload()}>
          Load again
        </button>
      </div>
    )
  }
}
