type Children = readonly (Node | string)[];

/** Makes an element with attributes. Text is always inserted as text, never as HTML. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Record<string, string> = {}, ...children: Children): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function button(label: string, kind: string, act: () => void, about?: string): HTMLButtonElement {
  // The subject is in the label for screen readers only, because it is visible beside the button.
  const made = make('button', { type: 'button', class: kind, ...(about ? { 'aria-label': `${label}: ${about}` } : {}) }, label);
  made.addEventListener('click', act);
  return made;
}

export const byId = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T;

/** The parts of a template's copy, by the name each has in the page. */
export const partsOf = (root: ParentNode) =>
  <T extends HTMLElement = HTMLElement>(name: string): T => root.querySelector(`[data-part="${name}"]`) as T;

export function copyOf(template: string): HTMLElement {
  return byId<HTMLTemplateElement>(template).content.firstElementChild!.cloneNode(true) as HTMLElement;
}

const keys = new WeakMap<HTMLElement, string>();

/** Rebuilds a list if its key changed, and keeps the keyboard focus in the list. */
export function refill(list: HTMLElement, key: string, items: () => readonly HTMLElement[]): void {
  if (keys.get(list) === key) return;
  keys.set(list, key);
  const hadFocus = list.contains(document.activeElement);
  list.replaceChildren(...items());
  if (hadFocus) (list.querySelector<HTMLElement>('button') ?? list.closest('.part')!.querySelector<HTMLElement>('h3'))!.focus();
}

/** Sets a text only if it differs, so that a screen reader does not repeat it. */
export function say(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Runs the work at most once per frame, and never twice at the same time. */
export function calmly(work: () => void | Promise<void>): () => void {
  let wanted = false;
  let running = false;
  const run = async () => {
    running = true;
    while (wanted) {
      wanted = false;
      await new Promise(resolve => (document.hidden ? setTimeout(resolve, 50) : requestAnimationFrame(resolve)));
      await work();
    }
    running = false;
  };
  return () => {
    wanted = true;
    if (!running) void run();
  };
}
