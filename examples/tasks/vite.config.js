import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // The dev server shares its terminal with the backend, so it must not wipe it.
  clearScreen: false,
  server: {
    host: 'localhost',
    port: 5173,
    // Where 5173 is taken, the next free port will do.
    strictPort: false,
    open: false,
  },
});
