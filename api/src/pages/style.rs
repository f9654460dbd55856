//! The one style sheet, and its digest, by which the policy of a page knows it.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Colours as of the other pages; contrast of text at least 4.5:1 in light and dark (WCAG 2.2, 1.4.3).
pub(super) const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1c1b1a;--soft:#5d5a56;--line:#d9d4cc;--edge:#8b857c;--paper:#f3f0ea;--card:#fdfcfa;--accent:#a3341f;
--on-accent:#fff;--raised:#f2efe9;--warn:#6b4400;--warn-paper:#fff3d6;--warn-line:#d9a94a;--bad:#8f1f12;--bad-paper:#fdebe7;--bad-line:#d98a7c}
@media(prefers-color-scheme:dark){:root{--ink:#ece8e2;--soft:#a8a29a;--line:#3a3734;--edge:#7d776f;--paper:#141312;--card:#1d1b1a;--accent:#e98a6f;
--on-accent:#1c120f;--raised:#272422;--warn:#f2cf8a;--warn-paper:#2e2615;--warn-line:#6e5620;--bad:#f3ac9e;--bad-paper:#331a15;--bad-line:#7a3a2e}}
*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}
body{margin:0;min-height:100vh;background:var(--paper);color:var(--ink);font:16px/1.6 system-ui,'Hiragino Sans','Noto Sans JP','Noto Sans CJK JP',Meiryo,sans-serif;
display:flex;flex-direction:column;align-items:center;padding:1.25rem}
header,main,footer{width:100%;max-width:29rem}main.wide,body:has(main.wide) :is(header,footer){max-width:48rem}
header{display:flex;justify-content:space-between;align-items:baseline;gap:1rem;padding:.5rem .25rem 1rem}
.brand{font-weight:650;letter-spacing:.01em;color:var(--ink);text-decoration:none}.brand span{color:var(--accent);margin-left:.35rem}
main{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1.75rem}
footer{display:flex;gap:1.25rem;flex-wrap:wrap;padding:1rem .25rem;font-size:.88rem;color:var(--soft)}
h1{font-size:1.4rem;line-height:1.35;margin:0 0 .6rem;overflow-wrap:anywhere;text-wrap:balance}h2{font-size:1.08rem;margin:2rem 0 .6rem}
p{margin:.5rem 0}a{color:var(--accent);text-underline-offset:.15em}.soft{color:var(--soft)}.small{font-size:.88rem}
code{font:.86em/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
label.field{display:block;margin:1.1rem 0 .3rem;font-weight:600}
input:is([type=email],[type=password]){width:100%;font:inherit;color:inherit;background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:.65rem .75rem}
input[aria-invalid=true]{border-color:var(--bad)}
button{font:inherit;font-weight:600;border-radius:8px;padding:.65rem 1.15rem;border:1px solid var(--accent);background:var(--accent);color:var(--on-accent);cursor:pointer;min-height:2.75rem}
button.plain{background:transparent;color:var(--ink);border-color:var(--edge)}button.small{padding:.3rem .8rem;min-height:2rem;font-size:.9rem}
button.danger{background:transparent;color:var(--bad);border-color:var(--bad-line)}
a.button{display:inline-block;font-weight:600;border-radius:8px;padding:.65rem 1.15rem;background:var(--accent);color:var(--on-accent);text-decoration:none;margin-top:1rem}
.actions{display:flex;gap:.75rem;margin-top:1.6rem;flex-wrap:wrap}.actions button{flex:1 1 8rem}
.notice{border:1px solid var(--warn-line);background:var(--warn-paper);color:var(--warn);border-radius:10px;padding:.7rem .9rem;margin:1rem 0}
.alert{border:1px solid var(--bad-line);background:var(--bad-paper);color:var(--bad);border-radius:10px;padding:.7rem .9rem;margin:1rem 0}
.notice p,.alert p{margin:.1rem 0}
dl.facts{margin:1.1rem 0;display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1rem}dl.facts dt{color:var(--soft)}dl.facts dd{margin:0;overflow-wrap:anywhere;font-weight:550}
fieldset{border:0;padding:0;margin:1.4rem 0 0}legend{font-weight:600;padding:0;margin-bottom:.3rem}
.scope{display:flex;gap:.7rem;align-items:flex-start;padding:.65rem 0;border-bottom:1px solid var(--line);cursor:pointer}.scope:last-of-type{border-bottom:0}
.scope input{width:1.2rem;height:1.2rem;margin:.2rem 0 0;flex:none;accent-color:var(--accent)}.scope span{display:block;min-width:0;overflow-wrap:anywhere}
ul.things{list-style:none;margin:0;padding:0}ul.things li{display:flex;justify-content:space-between;gap:1rem;align-items:center;flex-wrap:wrap;padding:.85rem 0;border-bottom:1px solid var(--line)}
ul.things li:last-child{border-bottom:0}ul.things+form{margin-top:1rem}ul.things .what{flex:1 1 16rem;min-width:0;overflow-wrap:anywhere}ul.things form{margin:0}
.elsewhere{margin-top:1.6rem;border-top:1px solid var(--line);padding-top:1rem}.elsewhere button{width:100%;margin-top:.6rem}
.badge{display:inline-block;border:1px solid var(--line);background:var(--raised);border-radius:99px;padding:0 .55rem;font-size:.8rem;margin-left:.4rem;vertical-align:.06em}
.skip{position:absolute;left:-999rem}.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.5rem 1rem;border-radius:8px}
h1:lang(ja),.scope:lang(ja),.notice:lang(ja),.alert:lang(ja){word-break:auto-phrase}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
@media(max-width:30rem){body{padding:.75rem}main{padding:1.25rem}dl.facts{grid-template-columns:1fr;gap:0}dl.facts dd{margin-bottom:.5rem}}
@media(forced-colors:active){button,main,input{border:1px solid}}";

/// How a policy names the sheet.
pub(super) static STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| {
    let digest = digest::digest(&digest::SHA256, STYLE.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(digest.as_ref()))
});
