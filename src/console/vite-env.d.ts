// The files that Vite copies, as the addresses under which they are served.
declare module '*.svg' {
  const url: string
  export default url
}
