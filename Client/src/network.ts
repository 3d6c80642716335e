/** At the start no event tells: a page that is opened without a network has to ask. */
export const isCutOff = (): boolean => typeof window !== 'undefined' && window.navigator?.onLine === false;

/** The browser knows before any request does. Elsewhere nobody knows. */
export function watchNetwork(turned: (isOnline: boolean) => void): () => void {
  const world = globalThis as Partial<Pick<Window, 'addEventListener' | 'removeEventListener'>>;
  if (!world.addEventListener || typeof window === 'undefined') return () => {};
  const [up, down] = [() => turned(true), () => turned(false)];
  window.addEventListener('online', up);
  window.addEventListener('offline', down);
  return () => {
    window.removeEventListener('online', up);
    window.removeEventListener('offline', down);
  };
}
