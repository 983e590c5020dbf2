"""The style sheet of the page, in the colours and the type of the demo page."""

from __future__ import annotations

from recommender.markup import Html

STYLE = Html("""
:root {
  color-scheme: light dark;
  --serif: ui-serif, Georgia, "Noto Serif", "Liberation Serif", "Times New Roman", serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif;
  --paper: #fff; --ink: #17191b; --soft: #595f64; --line: #dadddf; --field: #858b90; --accent: #0b5566; --tint: #e4eff1;
  --bar: #b3b9bd; --bar-ours: #4795a5;
  --gap: clamp(1.25rem, 4vw, 2.5rem);
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #131517; --ink: #e5e6e4; --soft: #a3a9ad; --line: #33383b; --field: #767d82; --accent: #8cc9d6; --tint: #1b3239;
    --bar: #565d62; --bar-ours: #3d8b9b;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 0 var(--gap) 4rem; max-inline-size: 76rem;
  background: var(--paper); color: var(--ink); font: 1rem/1.5 var(--sans); overflow-wrap: anywhere;
}
h1, h2, h3, p, ol, ul, dl, dd, figure { margin: 0; padding: 0; text-align: start; }
ol, ul { list-style: none; }
h1 { margin-block: clamp(1.5rem, 4vw, 3rem) 1rem; font: 700 clamp(1.75rem, 1.3rem + 2vw, 2.5rem)/1.15 var(--serif); }
h2 { margin-block-start: 3.5rem; padding-block-start: .625rem; border-block-start: 3px solid var(--ink); font-size: 1.25rem; }
h3 { margin-block-start: 2rem; font-size: 1.0625rem; }
.verdict { max-inline-size: 50rem; font: 1.1875rem/1.5 var(--serif); }
.verdict + .verdict { margin-block-start: .75rem; }
.note { max-inline-size: 46rem; margin-block-start: .5rem; color: var(--soft); font-size: .875rem; }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin-block-start: 1.5rem; font-size: .875rem; }
.facts dt { color: var(--soft); }
.pair { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); gap: 1.75rem 3.5rem; margin-block-start: 1.25rem; }
.pair > * { min-inline-size: 0; }
figcaption { margin-block-end: .5rem; font-size: .9375rem; font-weight: 600; }
.scope { color: var(--accent); }
.legend { display: flex; flex-wrap: wrap; gap: .125rem 1.25rem; margin-block-start: .5rem; color: var(--soft); font-size: .8125rem; }
.legend svg { inline-size: .75rem; block-size: .75rem; margin-inline-end: .4rem; vertical-align: -1px; }
.bars { direction: ltr; }
.bars li { display: grid; grid-template-columns: 8rem minmax(0, 1fr) 10.5rem; align-items: center; gap: 0 .75rem; break-inside: avoid; }
.bars .label { font-size: .875rem; line-height: 1.25; text-align: end; }
.bars .mine { font-weight: 600; }
.bars .figure { white-space: nowrap; font-size: .875rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.bars small { color: var(--soft); font-size: .75rem; white-space: nowrap; }
svg { display: block; inline-size: 100%; overflow: visible; }
.legend svg { display: inline-block; }
.bars .drawing { position: relative; align-self: stretch; min-block-size: 1.875rem; }
.bars .drawing > svg { position: absolute; block-size: 100%; }
.bars .axis .drawing { min-block-size: 1.375rem; }
.drawn svg { max-inline-size: 29rem; block-size: auto; }
svg text { fill: var(--soft); font: .75rem var(--sans); font-variant-numeric: tabular-nums; }
svg .ours { fill: var(--bar-ours); }
svg .other, svg .whole { fill: var(--bar); }
svg .whole { fill: var(--tint); stroke: var(--field); stroke-width: 1; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .zero { stroke: var(--ink); stroke-width: 1; }
svg .whisker { stroke: var(--ink); stroke-width: 1.5; fill: none; }
svg .dot { fill: var(--accent); stroke: var(--paper); stroke-width: 1.5; }
svg .curve { stroke: var(--accent); stroke-width: 2; fill: none; stroke-linejoin: round; }
.scroll { overflow-x: auto; margin-block-start: 1.25rem; overflow-wrap: normal; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { padding-block-end: .375rem; text-align: start; font-size: .9375rem; font-weight: 600; }
th, td { padding: .4rem 0; padding-inline-end: 1.25rem; border-block-end: 1px solid var(--line); text-align: end; vertical-align: top; white-space: nowrap; }
th:first-child { text-align: start; }
th.title { min-inline-size: 14rem; white-space: normal; font-family: var(--serif); font-size: 1rem; line-height: 1.35; }
tr > :last-child { padding-inline-end: .25rem; }
thead th:last-child { min-inline-size: 6rem; }
thead th { color: var(--soft); font-weight: 400; vertical-align: bottom; white-space: normal; }
tbody th { font-weight: 400; }
.ours-row > * { background: var(--tint); font-weight: 600; }
.ours-row > :first-child { box-shadow: inset 4px 0 var(--accent); padding-inline-start: .75rem; }
.plain { display: block; margin-block-start: .125rem; color: var(--soft); font: .8125rem/1.4 var(--sans); }
details { margin-block-start: 1.25rem; }
summary { padding-block: .5rem; font-weight: 600; cursor: pointer; }
summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
.query { padding-block: 1rem; border-block-start: 1px solid var(--line); break-inside: avoid; }
.query > .title { font: 600 1.125rem/1.35 var(--serif); }
.query .pair { margin-block-start: .75rem; gap: .75rem 3.5rem; }
.query h3 { margin: 0 0 .25rem; color: var(--soft); font-size: .8125rem; font-weight: 400; }
.query .hit { padding-block: .25rem; }
.query .hit .title { font: 1rem/1.35 var(--serif); }
@media (max-width: 40rem) {
  .bars li { grid-template-columns: minmax(0, 1fr) auto; padding-block-start: .5rem; }
  .bars .label { text-align: start; }
  .bars .figure { grid-column: 2; grid-row: 1; text-align: end; }
  .bars .drawing { grid-column: 1 / -1; }
  .bars li.axis { padding-block-start: 0; }
  .bars .axis .label, .bars .axis .figure { display: none; }
}
@media print {
  html { font-size: 9.5pt; }
  body { padding: 0; max-inline-size: none; }
  h2, h3, figcaption { break-after: avoid; }
  figure, tr { break-inside: avoid; }
  table, .plain { font-size: 7.5pt; }
  th, td { padding-inline-end: .5rem; }
  .scroll { overflow: visible; }
  .query .pair { grid-template-columns: 1fr 1fr; gap: 1rem; }
  .ours-row > * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
""")
