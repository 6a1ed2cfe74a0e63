import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

/** `npx vite apps/dashboard` develops it against a Roost at ROOST_URL. */
const roost = process.env.ROOST_URL ?? 'http://127.0.0.1:3000';

/** What every screen needs; virtual lists come with the screens that have them. */
const FRAMEWORK = /node_modules[\\/]((react|react-dom|scheduler)[\\/]|@tanstack[\\/](?!(react-)?virtual))/;

export default defineConfig({
  root: at('.'),
  plugins: [react(), tailwind()],
  resolve: { alias: { '@roost-ai/sdk': at('../../packages/sdk/src/index.ts') } },
  build: {
    outDir: at('../../dist/dashboard'),
    emptyOutDir: true,
    target: 'es2023',
    // Of what browsers load first, a budget is kept by test/browser; a chunk may be larger.
    chunkSizeWarningLimit: 1_000,
    modulePreload: { polyfill: false },
    // Everything is a file of its own: the policy of the page allows no data in styles.
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [{ name: 'framework', test: FRAMEWORK }],
        },
      },
    },
  },
  server: {
    proxy: Object.fromEntries(
      ['/v1', '/auth', '/openapi.json', '/docs', '/health'].map((path) => [
        path,
        { target: roost, changeOrigin: false },
      ]),
    ),
  },
});
