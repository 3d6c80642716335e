/** At the start no event tells: a page that is opened without a network has to ask. */
export const isCutOff = (): boolean => typeof window !== 'undefined' && window.navigator?.onLine === false;

/** The browser knows before any request does. Elsewhere nobody knows. `shown`, or hidden: a tab that was in the background may have missed that a network came back. */
export function watchNetwork(turned: (isOnline: boolean) => void, shown: () => void, freeze: () => void, resume: () => void): () => void {
  if (typeof window === 'undefined' || !window.addEventListener) return () => {};
  const listeners = { online: () => turned(true), offline: () => turned(false), visibilitychange: () => isCutOff() || shown(), freeze, resume };
  const page = window;
  const each = (act: 'addEventListener' | 'removeEventListener') => Object.entries(listeners).forEach(([event, heard]) => page[act](event, heard, true));
  each('addEventListener');
  return () => each('removeEventListener');
}
