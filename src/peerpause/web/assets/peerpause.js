// Enhances pages that work without it: live regions, focus after a swap, select all, print. It holds no word of any language.
"use strict";

(() => {
  const quietMs = 300; // several changes at once (a bulk pause) are one refresh
  const longestWaitMs = 30000;

  // --- What is announced to screen readers -------------------------------------------------------------------------------------

  let announcing;
  function announce(text) {
    const region = document.getElementById("live");
    if (!region || !text) return;
    clearTimeout(announcing);
    region.textContent = "";
    announcing = setTimeout(() => { region.textContent = text; }, 500);
  }

  // --- Focus -------------------------------------------------------------------------------------------------------------------

  // How to find this element again in a page that was made anew.
  function trace(element) {
    if (!element || element === document.body) return null;
    if (element.id) return `#${CSS.escape(element.id)}`;
    const owner = element.closest("[id]");
    const within = owner ? `#${CSS.escape(owner.id)} ` : "";
    const tag = element.localName;
    const says = ["name", "value", "href", "data-key"]
      .filter((name) => element.hasAttribute(name))
      .map((name) => `[${name}="${CSS.escape(element.getAttribute(name))}"]`);
    return says.length || tag === "summary" ? within + tag + says.join("") : null;
  }

  function focusOn(element) {
    if (!element) return;
    if (!element.matches("a[href], button, input, select, textarea, summary, [tabindex]")) element.tabIndex = -1;
    element.focus();
  }

  function focusLost() {
    const focused = document.activeElement;
    return !focused || focused === document.body || !focused.isConnected;
  }

  let before = null;
  document.addEventListener("htmx:beforeSwap", () => { before = trace(document.activeElement); });
  document.addEventListener("htmx:afterSettle", (event) => {
    const fresh = event.detail.elt;
    enhance(fresh);
    const wanted = fresh.querySelector("[data-focus]");
    if (wanted) focusOn(wanted);
    else if (focusLost()) focusOn((before && document.querySelector(before)) || fresh.querySelector("h1, h2") || fresh);
    announce(fresh.dataset.liveAnnounce || fresh.querySelector("[data-live-announce]")?.dataset.liveAnnounce);
  });

  // --- Live: an event says that something changed; the page is asked for anew, with all its permissions -------------------------------

  const stream = { source: null, address: null, failures: 0, missed: false };

  function connect() {
    stream.address = document.querySelector("[data-live-url]")?.dataset.liveUrl || document.body.dataset.live;
    if (!stream.address || stream.source || document.hidden) return;
    const source = new EventSource(stream.address);
    stream.source = source;
    source.addEventListener("open", () => {
      stream.failures = 0;
      if (stream.missed) refreshSoon();
      stream.missed = false;
    });
    source.addEventListener("changed", refreshSoon);
    source.addEventListener("error", () => {
      stream.missed = true;
      // The browser connects again by itself after a break, but not after an answer such as 503.
      if (source.readyState !== EventSource.CLOSED || stream.source !== source) return;
      stream.source = null;
      stream.failures += 1;
      setTimeout(connect, Math.min(longestWaitMs, 1000 * 2 ** stream.failures) * (0.5 + Math.random()));
    });
  }

  // A hidden tab holds no connection: a browser has only a few for each site.
  function disconnect() {
    if (!stream.source) return;
    stream.source.close();
    stream.source = null;
    stream.missed = true;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) connect();
  });

  let waiting;
  let refreshing = false;
  let again = false;

  function refreshSoon() {
    clearTimeout(waiting);
    waiting = setTimeout(refresh, quietMs);
  }

  async function refresh() {
    if (refreshing) {
      again = true;
      return;
    }
    if (!document.querySelector("[data-live-refresh]")) return;
    refreshing = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html", "X-Live-Refresh": "1" }, cache: "no-store", credentials: "same-origin" });
      // Signed out meanwhile, or no longer allowed: the page on the screen stays, and says that it is old.
      if (answer.ok && !answer.redirected) takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
      else showStale();
    } catch {
      stream.missed = true; // away from the network: the stream's return refreshes
    } finally {
      refreshing = false;
      if (again) {
        again = false;
        refreshSoon();
      } else keepLooking();
    }
  }

  // For what no event tells of, such as how far a job has come: as often as the region asks for, until a fresh one asks no more.
  let looking;
  function keepLooking() {
    clearTimeout(looking);
    const every = Number(document.querySelector("[data-live-refresh][data-live-every]")?.dataset.liveEvery);
    if (every) looking = setTimeout(refresh, every);
  }

  function takeOver(page) {
    const said = [];
    for (const old of document.querySelectorAll("[data-live-refresh][id]")) {
      const fresh = page.getElementById(old.id);
      if (!fresh || fresh.innerHTML === old.dataset.livePristine) continue;
      if (isBeingFilledIn(old)) {
        showStale();
        continue;
      }
      replace(old, fresh);
      if (fresh.dataset.liveAnnounce) said.push(fresh.dataset.liveAnnounce);
    }
    announce([...new Set(said)].join(" "));
  }

  function replace(old, fresh) {
    const adopted = document.importNode(fresh, true);
    adopted.dataset.livePristine = fresh.innerHTML;
    const focused = old.contains(document.activeElement) ? trace(document.activeElement) : null;
    const ticked = [...old.querySelectorAll("input[type=checkbox][name]:checked")].map(trace);
    const opened = [...old.querySelectorAll("details[id][open]")].map(trace);
    old.replaceWith(adopted);
    for (const path of ticked) {
      const box = path && document.querySelector(path);
      if (box) box.checked = true;
    }
    for (const path of opened) document.querySelector(path)?.setAttribute("open", "");
    window.htmx?.process(adopted);
    enhance(adopted);
    if (focused && focusLost()) focusOn(document.querySelector(focused) || adopted);
  }

  // Ticked boxes of a list are carried over; whatever else somebody has begun to fill in is left alone.
  function isBeingFilledIn(region) {
    const fields = [...region.querySelectorAll("input:not([type=checkbox], [type=hidden]), textarea, select")];
    return fields.some((field) => field === document.activeElement || isChanged(field));
  }

  function isChanged(field) {
    if (field.localName === "select") return field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
    if (field.type === "radio") return field.checked !== field.defaultChecked;
    return field.value !== field.defaultValue;
  }

  function showStale() {
    for (const note of document.querySelectorAll("[data-live-stale][hidden]")) {
      note.hidden = false;
      announce(note.textContent.trim());
    }
  }

  // --- Bulk selection, print, menus ----------------------------------------------------------------------------------------------

  function boxesOf(master) {
    const name = CSS.escape(master.dataset.selectAll);
    return [...(master.form || document).querySelectorAll(`input[type=checkbox][name="${name}"]:not(:disabled)`)];
  }

  function countSelected(scope) {
    for (const master of scope.querySelectorAll("[data-select-all]")) {
      const boxes = boxesOf(master);
      const ticked = boxes.filter((box) => box.checked).length;
      master.checked = boxes.length > 0 && ticked === boxes.length;
      master.indeterminate = ticked > 0 && ticked < boxes.length;
      for (const count of (master.form || document).querySelectorAll("[data-selected-count]")) count.textContent = String(ticked);
    }
  }

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || box.type !== "checkbox") return;
    if (box.dataset.selectAll) for (const other of boxesOf(box)) other.checked = box.checked;
    countSelected(document);
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
    for (const menu of document.querySelectorAll("details.pp-menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest?.("details.pp-menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // --- Start -----------------------------------------------------------------------------------------------------------------------

  // Controls that do nothing without this file are hidden until it is here.
  function enhance(scope) {
    for (const control of scope.querySelectorAll("[data-needs-script]")) control.hidden = false;
    countSelected(document);
  }

  for (const region of document.querySelectorAll("[data-live-refresh][id]")) region.dataset.livePristine = region.innerHTML;
  enhance(document);
  focusOn(document.querySelector("[data-focus]"));
  connect();
  keepLooking();
})();
