// The forms of the page that tells the contract: each asks its route here, and shows what is answered. Text only, never markup.

const HEADERS = ["content-type", "etag", "cache-control", "surrogate-key", "retry-after", "www-authenticate"];

function request(form) {
  const fields = [...form.elements].filter((field) => field.dataset.in && field.value !== "");
  const given = (where) => fields.filter((field) => field.dataset.in === where);
  const query = new URLSearchParams();
  for (const field of given("query")) {
    const values = "many" in field.dataset ? field.value.split("\n").filter(Boolean) : [field.value];
    for (const value of values) query.append(field.name, value);
  }
  let path = form.dataset.path;
  for (const field of given("path")) path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
  const headers = Object.fromEntries(given("key").map((field) => ["Authorization", `Bearer ${field.value}`]));
  const [body] = given("body");
  return [
    query.size ? `${path}?${query}` : path,
    { method: form.dataset.method.toUpperCase(), headers, body: body?.value, cache: "no-store" },
  ];
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function shown(text) {
  const block = element("pre", text);
  block.tabIndex = 0;
  return block;
}

async function ask(form) {
  const answer = form.querySelector(".answer");
  const [url, options] = request(form);
  const asked = element("code", `${options.method} ${url}`);
  answer.hidden = false;
  answer.replaceChildren(asked, element("p", "…"));
  const start = performance.now();
  try {
    const response = await fetch(url, options);
    const text = await response.text();
    const took = (performance.now() - start).toFixed(0);
    const told = HEADERS.filter((name) => response.headers.has(name)).map((name) => `${name}: ${response.headers.get(name)}`);
    const status = element("p", `${response.status} ${response.statusText}, ${took} ms`);
    status.className = response.ok ? "good" : "bad";
    answer.replaceChildren(asked, status, shown(told.join("\n")), shown(pretty(text)));
  } catch (error) {
    answer.replaceChildren(asked, element("p", `no answer: ${error.message}`));
  }
}

for (const form of document.querySelectorAll("form[data-path]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form);
  });
}

// A link to a schema opens it.
addEventListener("hashchange", () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
});
