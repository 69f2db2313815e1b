"""The look of a report, by day and by night, on a screen and on paper."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --card: #f6f8fa; --ink: #1f2328; --muted: #59636e; --line: #d1d9e0;
  --warn: #9a6700; --warn-card: #fff8e5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --card: #161b22; --ink: #e6edf3; --muted: #9198a1; --line: #30363d;
    --warn: #e3b341; --warn-card: #221c0d;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 62rem;
  background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 1.2rem; }
h2 { font-size: 1.15rem; margin: 2.8rem 0 .3rem; padding-top: .9rem;
     border-top: 1px solid var(--line); }
h3 { font-size: .95rem; margin: 1.6rem 0 .2rem; }
p { margin: .2rem 0 .9rem; max-width: 46rem; color: var(--muted); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.4rem; margin: 0;
     padding: .9rem 1.1rem; background: var(--card); border-radius: 8px; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
ul.warnings { margin: 1rem 0 0; padding: .7rem 1.1rem .7rem 2.2rem; border-radius: 8px;
              background: var(--warn-card); color: var(--warn); }
.table { overflow-x: auto; margin: .6rem 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .32rem .8rem; text-align: right; border-bottom: 1px solid var(--line);
         white-space: nowrap; }
thead th { color: var(--muted); font-weight: 600; }
th:first-child { text-align: left; padding-left: 0; }
tbody th { font-weight: 500; }
td, th { vertical-align: top; }
td small, th small { display: block; color: var(--muted); font-size: .8rem; font-weight: 400;
                     line-height: 1.35; }
th small { max-width: 19rem; white-space: normal; }
figure { margin: .8rem 0 1rem; overflow-x: auto; }
img { display: block; max-width: 100%; height: auto; }
footer { margin-top: 3rem; color: var(--muted); font-size: .86rem; }
@media print { body { max-width: none; padding: 0; } figure, table { break-inside: avoid; } }
"""
