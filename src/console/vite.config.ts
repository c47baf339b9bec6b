// Builds the pages: one script a page, hashed names, nothing inline, so that the pages' policy can forbid it.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const from = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  root: from('.'),
  base: '/',
  publicDir: false,
  build: {
    // Of 2024 and newer: `light-dark()`, nested rules, `<dialog>`.
    target: 'es2023',
    assetsDir: 'assets',
    // Small images as data: URLs would need `img-src data:`.
    assetsInlineLimit: 0,
    manifest: 'manifest.json',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { input: { index: from('index.html') } },
  },
  server: {
    // `npm run dev` serves the API beside it.
    proxy: { '/api': 'http://127.0.0.1:8787', '/console': 'http://127.0.0.1:8787' },
  },
})
