/** At the start no event tells: a page that is opened without a network has to ask. */
export const isBrowserOffline = (): boolean => typeof window !== 'undefined' && window.navigator?.onLine === false;

/** The browser knows before any request does. Elsewhere nobody knows. `shown`, or hidden: a tab that was in the background may have missed that a network came back. */
export function watchNetwork(onNetwork: (isOnline: boolean) => void, onShown: () => void, freeze: () => void, resume: () => void): () =>
  void {
  if (typeof window === 'undefined' || !window.addEventListener) return () => {};
  const listeners = {
    online: () => onNetwork(true), offline: () => onNetwork(false), visibilitychange: () => isBrowserOffline() || onShown(), freeze, resume
  };
  const page = window;
  const each = (act: 'addEventListener' | 'removeEventListener') =>
    Object.entries(listeners).forEach(([event, listener]) => page[act](event, listener, true));
  each('addEventListener');
  return () => each('removeEventListener');
}
