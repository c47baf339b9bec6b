/** Where the documents of the repository's default branch are; null where the build does not know. */
declare const documentsUrl: string | null

// The files that Vite copies, as the addresses under which they are served.
declare module '*.svg' {
  const url: string
  export default url
}
