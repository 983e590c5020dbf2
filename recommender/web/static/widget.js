/**
 * <related-stories>: what belongs under an article, asked of a Newsroom Recommender (its README says how). Without a list it
 * is hidden; what the page's server put inside stays as it is. It stores nothing.
 */

const HEADING = "Related stories";
const QUIET = { credentials: "omit", referrerPolicy: "no-referrer" };

const STYLE = `
:host { display: block; color: var(--related-ink, inherit); font: var(--related-font, inherit); overflow-wrap: anywhere; }
:host([hidden]) { display: none; }
h2 { margin: 0 0 .75em; font-size: 1.125em; line-height: 1.3; }
ol { display: grid; gap: var(--related-gap, 1em); margin: 0; padding: 0; list-style: none; }
li { position: relative; min-inline-size: 0; }
.list li + li { padding-block-start: var(--related-gap, 1em); border-block-start: 1px solid var(--related-line, #8886); }
.cards { grid-template-columns: repeat(auto-fill, minmax(min(100%, var(--related-card, 13em)), 1fr)); }
.cards a::after { content: ""; position: absolute; inset: 0; }
a { display: inline-block; padding-block: .125em; color: var(--related-link, inherit); font-weight: 600; line-height: 1.3;
  text-decoration: underline transparent; text-underline-offset: .15em; }
a:hover { text-decoration-color: currentColor; }
a:focus-visible { outline: 3px solid var(--related-accent, currentColor); outline-offset: 2px; }
p, time { display: block; margin: .25em 0 0; font-size: .875em; line-height: 1.4;
  color: var(--related-soft, color-mix(in srgb, currentColor 78%, transparent)); }
div { aspect-ratio: var(--related-ratio, 16 / 9); margin-block-end: .5em; background: var(--related-line, #8883); }
img { display: block; inline-size: 100%; block-size: 100%; object-fit: cover; }
@media (prefers-reduced-motion: no-preference) { a { transition: text-decoration-color .15s; } }
`;

/** Return an element; strings among the children become text. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value != null) made.setAttribute(key, value);
  made.append(...children.filter(Boolean));
  return made;
}

/** Return an absolute http(s) address or null. */
function webAddress(value) {
  const url = URL.canParse(value) && new URL(value);
  return url && /^https?:$/.test(url.protocol) ? url.href : null;
}

function day(value) {
  const instant = new Date(value ?? NaN);
  if (isNaN(instant)) return null;
  const language = document.documentElement.lang.match(/^[a-z]{2,3}(-[a-z]{2})?(?![a-z])/i)?.[0] ?? [];
  const told = instant.toLocaleDateString(language, { dateStyle: "medium", timeZone: "UTC" });
  return element("time", { part: "date", datetime: value }, told);
}

/** Return a frame that keeps its place without its picture, too. */
function picture(src) {
  const image = src && element("img", { part: "image", alt: "", loading: "lazy", referrerpolicy: "no-referrer", src });
  image?.addEventListener("error", () => image.remove());
  return element("div", { part: "picture" }, image);
}

class RelatedStories extends HTMLElement {
  static observedAttributes = ["article-url", "article-id", "src", "k", "layout", "heading"];

  #eye;
  #asked;

  connectedCallback() {
    for (const name of ["click", "auxclick"]) this.addEventListener(name, this.#clicked);
    this.#begin();
  }

  disconnectedCallback() {
    this.#eye?.disconnect();
    this.#asked?.abort();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#begin();
  }

  #begin() {
    this.#asked?.abort();
    this.#asked = null;
    this.hidden = false;
    this.#when("600px 0px", () => (this.#isTaken() ? this.#watch() : this.#load()));
  }

  /** Act once the element is in view, or so near. */
  #when(rootMargin, act) {
    this.#eye?.disconnect();
    this.#eye = new IntersectionObserver((seen, eye) => {
      if (!seen.at(-1).isIntersecting) return;
      eye.disconnect();
      act();
    }, { rootMargin });
    this.#eye.observe(this);
  }

  #isTaken() {
    return !this.shadowRoot && (this.childElementCount > 0 || this.textContent.trim() !== "");
  }

  #article() {
    return this.getAttribute("article-id") || this.getAttribute("article-url")
      || document.querySelector('link[rel~="canonical"]')?.href || null;
  }

  #route(path) {
    const base = new URL(this.getAttribute("src") || new URL(".", import.meta.url), document.baseURI);
    return new URL(`${base.pathname.replace(/\/*$/, "")}/v1/${path}`, base);
  }

  #address() {
    const id = this.getAttribute("article-id");
    const address = this.#route(id ? `articles/${encodeURIComponent(id)}/related` : "related");
    if (!id) address.searchParams.set("url", this.#article());
    const k = this.getAttribute("k");
    if (k) address.searchParams.set("k", k);
    return address;
  }

  async #load() {
    const asked = this.#asked = new AbortController();
    const patience = setTimeout(() => asked.abort(), 8000);
    let list = null;
    try {
      const answer = this.#article() && await fetch(this.#address(), { ...QUIET, signal: asked.signal });
      if (answer?.ok) list = this.#list((await answer.json()).results);
    } catch {} // none, or too late: the page goes on without
    clearTimeout(patience);
    if (this.#asked === asked && this.isConnected && !this.#isTaken()) this.#show(list);
  }

  /** Return what is shown of lines, null where none leads anywhere. */
  #list(lines) {
    const stories = lines.filter((line) => webAddress(line?.url) && line.title);
    if (!stories.length) return null;
    const cards = this.getAttribute("layout") === "cards";
    const pictured = cards && stories.some(({ image_url }) => webAddress(image_url));
    const items = stories.map(({ id, title, url, language: lang, reason, published_at, image_url }) =>
      element("li", { part: "story", "data-id": id },
        pictured && picture(webAddress(image_url)),
        element("a", { part: "link", href: webAddress(url), lang, hreflang: lang, dir: "auto" }, String(title)),
        reason && element("p", { part: "reason" }, element("bdi", { lang: "en" }, String(reason))),
        day(published_at)));
    const heading = this.getAttribute("heading") ?? HEADING;
    return element("nav", { part: "list", "aria-label": heading || HEADING },
      heading && element("h2", { part: "heading" }, heading),
      element("ol", { part: "stories", role: "list", class: cards ? "cards" : "list" }, ...items));
  }

  #show(list) {
    this.hidden = !list;
    if (!list) return this.shadowRoot?.replaceChildren();
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet(); // a <style> would need leave of the page's CSP
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    root.replaceChildren(list);
    this.#watch();
  }

  #watch() {
    this.#when("0px", () => {
      const stories = (this.shadowRoot ?? this).querySelectorAll("li[data-id]");
      this.#tell("related-shown", { ids: [...stories].map(({ dataset }) => dataset.id) });
    });
  }

  #clicked = (event) => {
    if (event.button > 1) return;
    const path = event.composedPath();
    const inside = path.slice(0, path.indexOf(this));
    const link = inside.find(({ localName }) => localName === "a");
    const story = link?.closest("li[data-id]");
    if (!story) return;
    const position = [...story.parentNode.children].indexOf(story) + 1;
    this.#tell("related-clicked", { id: story.dataset.id, position, url: link.href });
  };

  #tell(name, detail) {
    detail.article = this.#article();
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
    const body = JSON.stringify({ ...detail, url: undefined }), method = "POST";
    if (this.hasAttribute("report")) try {
      fetch(this.#route("clicks"), { ...QUIET, method, body, keepalive: true }).catch(() => {});
    } catch {}
  }
}

if (!customElements.get("related-stories")) customElements.define("related-stories", RelatedStories);
