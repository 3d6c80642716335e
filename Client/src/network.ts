/** Asks the browser once at the start, because no event reports the initial state. */
export const isBrowserOffline = (): boolean => typeof window !== 'undefined' && window.navigator?.onLine === false;

/**
 * Watches the browser's network and page events. Outside a browser it does nothing. A visible page retries at once, because a background
 * tab may have missed that the network came back.
 */
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
