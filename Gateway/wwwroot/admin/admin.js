// The page of the operators. Every text is set through textContent: nothing that a user wrote can become markup.
import { Chart, short } from './charts.js';

const API = '/admin/v1';
const $ = id => document.getElementById(id);

// ---- Elements ----

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** Pairs of a term and what is said of it. */
function facts(into, pairs) {
  into.replaceChildren(...pairs.map(([term, text, className]) => {
    const pair = element('div');
    pair.append(element('dt', term), element('dd', text ?? '–', className));
    return pair;
  }));
  return into;
}

function card(title, pairs, ...more) {
  const made = element('li');
  made.append(element('strong', title), facts(element('dl', undefined, 'facts'), pairs), ...more);
  return made;
}

function cards(into, made, empty) {
  into.replaceChildren(...(made.length ? made : [element('li', empty, 'empty')]));
}

function button(text, act, className) {
  const made = element('button', text, className);
  made.type = 'button';
  made.addEventListener('click', act);
  return made;
}

const when = text => (text ? new Date(text).toLocaleString() : '–');
const bytes = n => `${short(n)}B`;
const ms = seconds => (seconds === undefined ? '–' : `${short(seconds * 1000)} ms`);
const said = text => { $('said').textContent = text; };

// ---- Calls ----

class Refused extends Error {}

async function call(method, path, confirm, body) {
  const headers = { ...(confirm && { Confirm: confirm }), ...(body && { 'Content-Type': 'application/json' }) };
  const response = await fetch(API + path, { method, headers, body: body && JSON.stringify(body) });
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(answer.error ?? `The server answered ${response.status}.`);
  return answer;
}

/** Asks before it does something. What cannot be undone asks for the user's id. */
function confirmed({ title, text, yes, typed }) {
  const dialog = $('confirm');
  $('confirm-title').textContent = title;
  $('confirm-text').textContent = text;
  $('confirm-yes').textContent = yes;
  $('confirm-typing').hidden = !typed;
  const field = $('typed');
  field.value = '';
  const check = () => { $('confirm-yes').disabled = Boolean(typed) && field.value !== typed; };
  field.oninput = check;
  check();
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise(resolve => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }));
}

// ---- Now ----

const charts = {
  operations: new Chart($('charts'), 'Operations', 'a second'),
  sockets: new Chart($('charts'), 'Sockets', 'open'),
  push: new Chart($('charts'), 'Commit, p99', 'ms'),
  fanOut: new Chart($('charts'), 'Commit to last socket, p99', 'ms'),
  conflicts: new Chart($('charts'), 'Conflicts', 'a second'),
  faults: new Chart($('charts'), 'Faults of the store', 'a second'),
};

function showStatus(status) {
  const { figures } = status;
  const { latency } = figures;
  $('health').textContent = status.status + (status.store.trouble ? `: ${status.store.trouble}` : '');
  $('health').className = `badge ${status.status}`;
  facts($('figures'), [
    ['Silos ready', `${status.silosReady} of ${status.silos}`, status.silosReady < status.silos ? 'bad' : ''],
    ['Store', `${status.store.kind} ${status.store.ready ? 'answers' : status.store.trouble}`, status.store.ready ? '' : 'bad'],
    ['Active users', short(figures.activeUsers)],
    ['Sockets', short(figures.sockets)],
    ['Operations a second', short(figures.operationsPerSecond)],
    ['Push, p50 / p99', `${ms(latency.push?.p50)} / ${ms(latency.push?.p99)}`],
    ['Pull, p50 / p99', `${ms(latency.pull?.p50)} / ${ms(latency.pull?.p99)}`],
    ['Commit, p50 / p99', `${ms(latency.commit?.p50)} / ${ms(latency.commit?.p99)}`],
    ['Conflicts a second', short(figures.conflictsPerSecond)],
    ['Writes waiting', short(figures.queuedWrites)],
    ['Entities in memory', short(figures.heads)],
    ['Memory', bytes(figures.memoryBytes)],
  ]);
  charts.operations.add(figures.operationsPerSecond);
  charts.sockets.add(figures.sockets);
  charts.push.add((latency.commit?.p99 ?? 0) * 1000);
  charts.fanOut.add((latency.fan_out?.p99 ?? 0) * 1000);
  charts.conflicts.add(figures.conflictsPerSecond);
  charts.faults.add(figures.faultsPerSecond);
}

function showSilos(silos) {
  // A button that has the focus keeps it.
  const focused = document.activeElement?.dataset?.silo;
  cards($('silos'), silos.map(silo => {
    const name = silo.name ?? silo.address;
    const drain = button(silo.draining ? 'Serve again' : 'Drain', () => setDraining(silo), silo.draining ? '' : 'danger');
    drain.dataset.silo = name;
    drain.setAttribute('aria-label', `${drain.textContent}: ${name}`);
    drain.disabled = silo.status !== 'active';
    const state = silo.drained ? 'drained' : silo.draining ? 'draining' : silo.ready ? 'ready' : silo.trouble ?? 'not ready';
    const row = element('p', undefined, 'row');
    if (silo.status !== 'gateway') row.append(drain);
    return card(name, [
      ['State', `${silo.status}, ${state}`, silo.ready ? 'good' : silo.draining ? 'warn' : 'bad'],
      ['Address', silo.address],
      ['Sockets', silo.figures && short(silo.figures.sockets)],
      ['Active users', silo.figures && short(silo.figures.activeUsers)],
      ['Operations a second', silo.figures && short(silo.figures.operationsPerSecond)],
      ['Cores used', silo.figures && short(silo.figures.cpuCores)],
      ['Memory', silo.figures && bytes(silo.figures.memoryBytes)],
      ['Up since', when(silo.startedAt)],
    ], row);
  }), 'No silo is known.');
  if (focused) [...$('silos').querySelectorAll('button')].find(one => one.dataset.silo === focused)?.focus();
}

async function setDraining(silo) {
  const name = silo.name ?? silo.address;
  const isSure = silo.draining || await confirmed({
    title: `Drain ${name}?`, yes: 'Drain',
    text: 'It closes its sockets over two seconds and hands its users over. Devices connect again elsewhere. With one silo there is no elsewhere.',
  });
  if (!isSure) return;
  try {
    await call(silo.draining ? 'DELETE' : 'POST', `/silos/${encodeURIComponent(name)}/drain`, silo.draining ? 'resume' : 'drain');
    said(silo.draining ? `${name} serves again.` : `${name} is draining.`);
  } catch (failure) {
    said(`${failure.message}`);
  }
}

function follow() {
  const events = new EventSource(`${API}/events`);
  events.addEventListener('figures', event => {
    const { status, silos, gateways } = JSON.parse(event.data);
    showStatus(status);
    showSilos([...silos, ...gateways]);
  });
  events.addEventListener('error', () => {
    $('health').textContent = 'No connection to the server';
    $('health').className = 'badge unhealthy';
  });
}

// ---- A user ----

let shown = null;
const path = user => `/users/${encodeURIComponent(user)}`;

async function lookUp(user, { content = false, quiet = false } = {}) {
  try {
    show(await call('GET', path(user) + (content ? '?content=true' : '')), content);
    if (!quiet) said('');
    return true;
  } catch (failure) {
    $('inspector').hidden = true;
    said(failure.message);
    return false;
  }
}

function show(user, hasContent) {
  shown = user;
  $('inspector').hidden = false;
  $('who').textContent = user.user;
  const types = Object.entries(user.entities.byType).map(([type, count]) => `${count} ${type}`).join(', ');
  facts($('head'), [
    ['Head', String(user.head)],
    ['Epoch', user.epoch, 'mono'],
    ['Digest', user.digest, 'mono'],
    ['Entities', `${short(user.entities.live)} live, ${short(user.entities.tombstones)} deleted`],
    ['By type', types || '–'],
    ['Stored', bytes(user.entities.bytes)],
    ['Coordinator in', user.coordinator ?? 'this process'],
    ['Known since', when(user.createdAt)],
    ['Last change', when(user.lastSyncAt)],
    ['Signed out before', when(user.signedOutBefore)],
  ]);
  cards($('devices'), user.devices.map(showDevice), 'No device has named itself.');
  cards($('connections'), user.connections.map(one => card(one.deviceId ?? 'unnamed device', [
    ['Open since', when(one.openedAt)], ['Sent up to', String(one.seq)], ['Silo', one.silo ?? 'gateway'], ['Process', one.process, 'mono'],
  ])), 'No socket is open.');
  cards($('conflicts'), user.conflicts.map(showConflict), 'No change has lost within 30 days.');
  $('content').hidden = hasContent || user.conflicts.length === 0;
  $('versions').replaceChildren();
  const all = element('option', 'all devices');
  all.value = '';
  $('rewind-device').replaceChildren(all, ...user.devices.map(device => element('option', device.deviceId)));
}

function showDevice(device) {
  const revoke = button('Revoke', () => act('revoke', device.deviceId), 'danger');
  revoke.setAttribute('aria-label', `Revoke: ${device.deviceId}`);
  revoke.disabled = device.revoked;
  const row = element('p', undefined, 'row');
  row.append(revoke);
  return card(device.deviceId, [
    ['State', device.revoked ? 'revoked' : device.live ? 'connected' : 'away', device.live ? 'good' : device.revoked ? 'bad' : ''],
    ['Behind by', `${short(device.lag)} revisions`, device.live && device.lag > 0 ? 'warn' : ''],
    ['Last seen', when(device.lastSeenAt)],
    ['First seen', when(device.firstSeenAt)],
  ], row);
}

function showConflict(conflict) {
  const more = conflict.document === undefined ? [] : [element('pre', JSON.stringify(conflict.document, null, 1))];
  return card(`${conflict.entityType} ${conflict.entityId ?? ''}`.trim(), [
    ['Reason', conflict.reason], ['When', when(conflict.createdAt)], ['Device', conflict.deviceId], ['Size', bytes(conflict.bytes)],
  ], ...more);
}

/** The versions of one entity. That somebody looked is written down. */
async function showVersions(type, entity, { quiet = false } = {}) {
  const query = new URLSearchParams({ type, entity });
  try {
    const { versions } = await call('GET', `${path(shown.user)}/history?${query}`);
    cards($('versions'), versions.map(one => card(`version ${one.version}${one.current ? ', now' : ''}`, [
      ['Arrived', when(one.arrivedAt)], ['Device', one.deviceId], ['State', one.deleted ? 'deleted' : 'document'],
    ], ...(one.deleted ? [] : [element('pre', JSON.stringify(one.document, null, 1))]), ...restorer(type, entity, one))),
    'No version is kept.');
    if (!quiet) said('');
  } catch (failure) {
    $('versions').replaceChildren();
    said(failure.message);
  }
}

/** A version that can be stored again has a button for it. */
function restorer(type, entity, { version, current, deleted }) {
  if (current || deleted) return [];
  const restore = button('Restore', () => restoreVersion(type, entity, version));
  restore.setAttribute('aria-label', `Restore: version ${version}`);
  const row = element('p', undefined, 'row');
  row.append(restore);
  return [row];
}

async function restoreVersion(type, entity, version) {
  const { user } = shown;
  const isSure = await confirmed({
    title: `Restore version ${version} of ${type} ${entity}?`, yes: 'Restore',
    text: `It is stored again for ${user} as the newest change, on top of whatever there is. All devices hear of it.`,
  });
  if (!isSure) return;
  try {
    const { results: [result] } = await call(
      'POST', `${path(user)}/history/${encodeURIComponent(type)}/${encodeURIComponent(entity)}/${version}/restore`, 'restore');
    await lookUp(user, { quiet: true });
    await showVersions(type, entity, { quiet: true });
    said(`Version ${version} was stored again (${result?.status ?? 'unchanged'}).`);
  } catch (failure) {
    said(failure.message);
  }
}

/** Takes back page after page what arrived after a time, or says what that would be. */
async function rewindPages(user, wanted) {
  const items = [];
  let page = {};
  do {
    page = await call('POST', `${path(user)}/rewind`, 'rewind', { ...wanted, after: page.next ?? null });
    items.push(...page.items);
  } while (page.hasMore);
  return items;
}

async function rewind() {
  const { user } = shown;
  const to = new Date($('rewind-to').value).toISOString();
  const wanted = { to, device: $('rewind-device').value || null };
  try {
    const planned = await rewindPages(user, { ...wanted, dryRun: true });
    if (planned.length === 0) {
      said('Nothing would change.');
      return;
    }
    const counts = Object.entries(Object.groupBy(planned, item => item.action)).map(([action, of]) => `${of.length} ${action}`);
    const isSure = await confirmed({
      title: `Rewind ${user}?`, yes: 'Rewind', typed: user,
      text: `Of ${wanted.device ? `the device ${wanted.device}` : 'all devices'}, what arrived after ${when(to)} is taken back: `
        + `${counts.join(', ')}. All devices hear of it, and it can itself be rewound.`,
    });
    if (!isSure) return;
    const done = await rewindPages(user, wanted);
    await lookUp(user, { quiet: true });
    said(`Rewound: ${done.length} entities.`);
  } catch (failure) {
    said(failure.message);
  }
}

const actions = {
  resync: { yes: 'Resync', text: 'Every device replaces what it has with what the server has, and pushes what it has not sent.',
    done: answer => `Resynchronized; the head is ${answer.head}.` },
  disconnect: { yes: 'Disconnect', text: 'All sockets close; the devices connect again by themselves.',
    done: answer => `${answer.closed} sockets were told to close.` },
  'sign-out': { yes: 'Sign out', text: 'Every token issued before now is refused. The user must sign in again on each device.',
    done: answer => `Signed out; tokens from before ${when(answer.notBefore)} are refused.` },
  erase: { yes: 'Erase', typed: true, text: 'Everything that the user stored is deleted, on all devices. This cannot be undone.',
    done: () => 'Erased.' },
  revoke: { yes: 'Revoke', text: 'The device is turned away until the user allows it again.', done: () => 'The device was turned away.' },
};

async function act(action, device) {
  const { user } = shown;
  const { yes, text, typed, done } = actions[action];
  const title = device ? `${yes} ${device} of ${user}?` : `${yes}: ${user}?`;
  if (!await confirmed({ title, text, yes, typed: typed && user })) return;
  try {
    const answer = device
      ? await call('DELETE', `${path(user)}/devices/${encodeURIComponent(device)}`, action)
      : await call('POST', `${path(user)}/${action}`, action);
    said(done(answer));
    await lookUp(user, { quiet: true });
  } catch (failure) {
    said(failure.message);
  }
}

/** The browser streams it to a file; it may be as large as all that the user has stored. */
function download() {
  const link = element('a');
  link.href = `${API}${path(shown.user)}/export`;
  link.download = 'mirubato-export.ndjson';
  link.click();
  said('The export is being downloaded.');
}

$('find').addEventListener('submit', async event => {
  event.preventDefault();
  if (await lookUp($('user').value)) $('who').focus();
});
for (const one of document.querySelectorAll('[data-action]')) {
  one.addEventListener('click', () => (one.dataset.action === 'export' ? download() : act(one.dataset.action)));
}
$('look-back').addEventListener('submit', event => {
  event.preventDefault();
  showVersions($('version-type').value, $('version-id').value);
});
$('rewind').addEventListener('submit', event => {
  event.preventDefault();
  rewind();
});
$('content').addEventListener('click', () => lookUp(shown.user, { content: true }));
follow();
