// drizzle-kit's settings: the schema as TypeScript here, its history as SQL in migrations/.
import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'postgresql',
  schema: './drizzle/tables/*.ts',
  out: './migrations',
  strict: true,
})
