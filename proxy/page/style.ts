/** How the payment page looks. In the page as it is; the page's policy names its hash. */
export const STYLE = `
:root { color-scheme: light dark; --line: #8886; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 24rem; text-align: center; }
h1 { font-size: 1.25rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
.amount { font-size: 2rem; line-height: 1.2; font-weight: 600; margin: 0 0 1rem; overflow-wrap: anywhere; }
.code { display: block; background: #fff; padding: .5rem; border-radius: .75rem; border: 1px solid var(--line); }
.code svg { display: block; width: 100%; height: auto; }
textarea { width: 100%; margin: 1rem 0 .5rem; font: .75rem/1.4 ui-monospace, monospace; resize: none;
  border: 1px solid var(--line); border-radius: .5rem; padding: .5rem; }
.row { display: flex; gap: .5rem; }
.row > * { flex: 1; padding: .6rem; border-radius: .5rem; border: 1px solid var(--line); font: inherit;
  text-decoration: none; cursor: pointer; color: inherit; background: none; }
.row > a { background: #f7931a; border-color: #f7931a; color: #000; }
form button { width: 100%; margin-top: .5rem; padding: .6rem; font: inherit; }
#status { margin: 1rem 0 0; }
#left { margin: 0; min-height: 1.5em; font-variant-numeric: tabular-nums; }
[hidden] { display: none; }
`
