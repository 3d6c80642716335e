import type { Sync } from '../src/index.js';
import { byId, say } from './dom.js';
import { sample } from './journal.js';
import { Pane } from './pane.js';
import { forgetUser, thisUser } from './user.js';

declare global {
  interface Window {
    /** The two devices, for whoever opens the console. */
    demo?: { laptop: Sync; phone: Sync };
  }
}

async function start(): Promise<void> {
  const user = thisUser();
  say(byId('user'), user);
  const panes = await Promise.all([Pane.open('laptop', 'Laptop', user), Pane.open('phone', 'Phone', user)]);
  byId('panes').replaceChildren(...panes.map(pane => pane.element));
  const [laptop, phone] = panes;
  window.demo = { laptop: laptop.device, phone: phone.device };

  onClick('sample', () => laptop.save(sample()));
  onClick('copy-link', copyLink);
  onClick('sign-out', () => signOut([laptop.device, phone.device]));
  byId('begin').addEventListener('click', () => location.reload());
  laptop.device.on('signedOut', ({ erased }) => erased && showGone());
}

/** Buttons are disabled until the page is ready, so that no early click is lost. */
function onClick(id: string, act: () => Promise<void>): void {
  const button = byId<HTMLButtonElement>(id);
  button.addEventListener('click', () => void act());
  button.disabled = false;
}

async function copyLink(): Promise<void> {
  // Without https or permission there is no clipboard; the address bar has the same link.
  const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
  say(
    byId('page-said'),
    copied ? 'The link is copied. Open it in another browser.' : 'Copy the address of this page and open it in another browser.');
}

async function signOut(devices: readonly Sync[]): Promise<void> {
  const unsent = (await Promise.all(devices.map(device => device.queue()))).flat().length;
  if (unsent && !(await agrees(unsent))) return;
  await Promise.all(devices.map(device => device.signOut()));
  showGone();
}

function agrees(unsent: number): Promise<boolean> {
  const dialog = byId<HTMLDialogElement>('leave');
  say(
    byId('leave-text'),
    `${unsent === 1 ? 'One edit has' : `${unsent.toLocaleString('en')} edits have`} not reached the server and will be gone.`);
  dialog.returnValue = 'stay';
  dialog.showModal();
  return new Promise(resolve => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'leave'), { once: true }));
}

function showGone(): void {
  forgetUser();
  document.body.classList.add('signed-out');
  byId('panes').replaceChildren();
  const gone = byId('gone');
  gone.hidden = false;
  gone.querySelector('h2')!.focus();
}

// Keeps the page's files, so that it opens offline too. Where the browser offers no worker it works all the same, with a network.
navigator.serviceWorker?.register('/demo/worker.js', { scope: '/demo' }).catch(() => {});

start().catch(error => {
  const alert = document.createElement('p');
  alert.className = 'alert';
  alert.setAttribute('role', 'alert');
  alert.textContent = `The demo could not start: ${(error as Error).message}`;
  byId('panes').replaceChildren(alert);
});
