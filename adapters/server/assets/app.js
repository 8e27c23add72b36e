// Live counters on the overview, and a hold on whatever refreshes itself. Without this file every page still works.
(() => {
  'use strict';

  // A page that was kept for the back button may have outlived its session: ask for it anew.
  window.addEventListener('pageshow', (event) => event.persisted && location.reload());

  const state = document.querySelector('[data-live-state]');
  const hold = document.querySelector('[data-live-hold]');
  const tiles = document.querySelector('[data-events]');
  if (!state || !hold) return;

  const number = new Intl.NumberFormat('en');
  let held = false;
  let stream = null;

  function say(mood, text) {
    state.dataset.mood = mood;
    if (state.textContent !== text) state.textContent = text; // spoken only when it changes
  }

  // The overview: one event a second.

  function open() {
    if (!tiles || stream || held || document.hidden) return;
    stream = new EventSource(tiles.dataset.events);
    stream.onmessage = (event) => {
      const now = JSON.parse(event.data);
      for (const tile of tiles.querySelectorAll('[data-live]')) {
        tile.textContent = number.format(now[tile.dataset.live]);
      }
      draw(now.time, now.waiting);
      say('live', 'Live');
    };
    stream.onerror = () => {
      if (stream.readyState === EventSource.CLOSED) {
        say('lost', 'Live view ended. Reload to continue');
        leaveIfSignedOut();
      } else {
        say('lost', 'Reconnecting…');
      }
    };
  }

  // Perhaps in another tab. Then the page is refused as well, and loading it leads to the login.
  async function leaveIfSignedOut() {
    try {
      const answer = await fetch(location.href, { method: 'HEAD' });
      if (answer.status === 401) location.reload();
    } catch {
      // Nobody answers: what is seen stays.
    }
  }

  function close() {
    if (stream) stream.close();
    stream = null;
  }

  const chart = document.querySelector('[data-chart]');
  const line = chart ? chart.querySelector('polyline') : null;
  let seen = [];
  if (chart) {
    const values = chart.dataset.values.split(',').map(Number);
    const last = Number(chart.dataset.time);
    seen = values.map((value, index) => ({ time: last - values.length + 1 + index, value }));
  }

  function draw(time, value) {
    if (!line) return;
    seen = seen.filter((one) => one.time > time - 60 && one.time < time).concat({ time, value });
    const values = seen.map((one) => one.value);
    const low = Math.min(...values);
    const high = Math.max(...values);
    const height = (one) => 94 - ((one.value - low) * 88) / Math.max(high - low, 1);
    line.setAttribute('points', seen.map((one) => `${59 - time + one.time},${height(one)}`).join(' '));
    document.querySelector('[data-chart-low]').textContent = number.format(low);
    document.querySelector('[data-chart-high]').textContent = number.format(high);
  }

  // The table: htmx polls, we only say when it should not.

  const polls = (event) => event.detail.elt.matches('[data-poll]');

  document.addEventListener('htmx:beforeRequest', (event) => {
    if (polls(event) && (held || document.hidden)) event.preventDefault();
  });
  document.addEventListener('htmx:beforeSwap', (event) => {
    // A button that is being pressed must not be swapped away.
    if (polls(event) && event.detail.elt.querySelector('button:active')) event.detail.shouldSwap = false;
  });
  document.addEventListener('htmx:afterRequest', (event) => {
    if (held) return;
    if (event.detail.successful) say('live', 'Live');
    else say('lost', 'No answer. Trying again…');
  });

  // Both: a button that holds the view still.

  hold.addEventListener('click', () => {
    held = !held;
    hold.textContent = held ? 'Resume updates' : 'Hold updates';
    if (held) {
      close();
      say('held', 'On hold');
    } else {
      say('live', 'Live');
      open();
    }
  });
  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()));

  hold.hidden = false;
  if (!tiles) say('live', 'Live');
  open();
})();
