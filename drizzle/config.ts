// drizzle-kit's settings: the schema in TypeScript is here, its history in SQL in migrations/.
import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'postgresql',
  schema: './drizzle/tables/*.ts',
  out: './migrations',
  strict: true,
})
