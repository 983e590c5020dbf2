/**
 * Results under the search box while one types. Without this file, or when the service cannot answer, the form asks for a page.
 */

const PAUSE_MS = 180;
const LEAST_CHARS = 3;
const HOW_MANY = 6;

const form = document.querySelector("form[data-live]");
const box = form.elements.q;
const panel = element("div", { class: "found", hidden: "" });
const status = element("p", { class: "unseen", role: "status" });
form.append(panel, status);

let pause;
let asked;

/** Return an element. Strings among the children become text, whatever stands in them. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value != null) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function close() {
  clearTimeout(pause);
  asked?.abort();
  panel.hidden = true;
  status.textContent = "";
}

function line({ id, title, language, section, published_at, reason }) {
  const page = new URL(form.action);
  page.searchParams.set("id", id);
  const facts = [
    section && element("bdi", { class: "section" }, section),
    published_at && element("time", { dir: "ltr", datetime: published_at }, published_at.slice(0, 10)),
    element("bdi", {}, reason),
  ];
  return element("li", { dir: "auto" },
    element("a", { href: page.href, lang: language }, title),
    element("p", { class: "facts" }, ...facts.filter(Boolean)));
}

async function look(text) {
  asked?.abort();
  const mine = asked = new AbortController();
  const address = new URL(form.dataset.live, document.baseURI);
  address.search = new URLSearchParams({ q: text, k: HOW_MANY, stubs: 0 });
  try {
    const answer = await fetch(address, { signal: mine.signal });
    if (!answer.ok) throw new Error(answer.statusText);
    const { results } = await answer.json();
    if (asked === mine) show(results);
  } catch {
    if (asked === mine) close();
  }
}

function show(results) {
  const found = results.length === 1 ? "1 story found" : `${results.length} stories found`;
  panel.replaceChildren(results.length ? element("ul", {}, ...results.map(line)) : element("p", {}, "No story found"));
  panel.hidden = false;
  status.textContent = found;
}

/** Move between the box and the lines below it, and round. */
function step(by) {
  const stops = [box, ...panel.querySelectorAll("a")];
  const at = stops.indexOf(document.activeElement);
  stops[(at + by + stops.length) % stops.length].focus();
}

box.addEventListener("input", () => {
  const text = box.value.trim();
  if (text.length < LEAST_CHARS) return close();
  clearTimeout(pause);
  pause = setTimeout(look, PAUSE_MS, text);
});

form.addEventListener("keydown", (event) => {
  if (panel.hidden || event.isComposing) return;
  if (event.key === "Escape") {
    event.preventDefault(); // or the box would be emptied, too
    box.focus();
    close();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    step(event.key === "ArrowDown" ? 1 : -1);
  }
});

panel.addEventListener("mousedown", (event) => event.preventDefault()); // a link that is pressed must not close the panel
form.addEventListener("focusout", ({ relatedTarget }) => {
  if (!form.contains(relatedTarget)) close();
});
form.addEventListener("submit", close);
addEventListener("pagehide", close);
