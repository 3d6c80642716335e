const KEY = 'mirubato-demo:user';
const FORM = /^demo-[a-z0-9]{16,40}$/;

const inAddress = (): string | undefined => {
  const user = new URLSearchParams(location.hash.slice(1)).get('user') ?? '';
  return FORM.test(user) ? user : undefined;
};

/** Each visitor is a separate user. The address contains the user, so that it can be opened elsewhere. */
export function thisUser(): string {
  const user = inAddress() ?? localStorage.getItem(KEY) ?? made();
  localStorage.setItem(KEY, user);
  const show = () => history.replaceState(null, '', `#user=${user}`);
  show();
  addEventListener('hashchange', () => {
    // A link inside the page does not change the user.
    if ((inAddress() ?? user) === user) show();
    else location.reload();
  });
  return user;
}

export function forgetUser(): void {
  for (const name of Object.keys(localStorage)) if (name.startsWith('mirubato-demo:')) localStorage.removeItem(name);
  history.replaceState(null, '', location.pathname);
}

export async function tokenFor(user: string): Promise<string> {
  const answer = await fetch(`/demo/token?user=${encodeURIComponent(user)}`, { cache: 'no-store' });
  if (!answer.ok) throw new Error(`The demo gave no token: ${answer.status}.`);
  return answer.text();
}

const made = (): string =>
  `demo-${Array.from(crypto.getRandomValues(new Uint8Array(12)), byte => byte.toString(16).padStart(2, '0')).join('')}`;
