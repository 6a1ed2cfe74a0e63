import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from './api/query-client.js';
import { Toasts } from './components/toasts.js';
import { router } from './router.js';
import { sessionQuery } from './session/session.js';
import './styles.css';

// Who is signed in, and the code of the screen, are asked for at once: the router itself asks one after the other.
void queryClient.prefetchQuery(sessionQuery);
const [matched] = router.getMatchedRoutes(router.latestLocation.pathname);
for (const route of matched) void router.loadRouteChunk(route)?.catch(() => undefined); // said by the router, which asks again

const root = document.getElementById('root');
if (!root) throw new Error('the page has no element for the dashboard');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
      <Toasts />
    </QueryClientProvider>
  </StrictMode>,
);
