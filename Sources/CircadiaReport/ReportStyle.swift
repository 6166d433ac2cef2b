/// The look of a report: one column, in light or dark colours as the reader's system prefers.
enum ReportStyle {
    /// The page's style sheet. All text has a contrast of at least 4.5 to 1.
    static let css = """
        :root{color-scheme:light dark;--ground:#fbfaf7;--card:#fff;--text:#1d1f24;--soft:#565b66;\
        --line:#d9d8d2;--training:#8a5a00;--heldout:#1d4fa8;--good:#1c6b36;--bad:#a32020;\
        --track:#e7e5de}
        @media (prefers-color-scheme:dark){:root{--ground:#14161a;--card:#1c1f25;--text:#e8e8e4;\
        --soft:#a9aeb8;--line:#363a43;--training:#e0ab4d;--heldout:#8db4ff;--good:#7fd49a;\
        --bad:#ff9c94;--track:#2a2e36}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--ground);color:var(--text);\
        font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;\
        overflow-wrap:anywhere}
        main{max-width:46rem;margin:0 auto;padding:1.25rem 1rem 3rem}
        h1{font-size:1.6rem;line-height:1.25;margin:.2rem 0 .4rem}
        h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
        h3{font-size:1rem;margin:0 0 .5rem}
        p{margin:.4rem 0}
        .soft{color:var(--soft)}
        .good{color:var(--good)}.bad{color:var(--bad)}
        .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));\
        gap:.75rem;margin:1rem 0;padding:0}
        .figures div,.answer{background:var(--card);border:1px solid var(--line);\
        border-radius:.6rem;padding:.7rem .85rem}
        .figures dt{color:var(--soft);font-size:.85rem}
        .figures dd{margin:0;font-size:1.25rem;font-weight:600}
        .figures small{display:block;color:var(--soft);font-weight:400;font-size:.8rem}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-size:.92rem;overflow-wrap:break-word}
        caption{text-align:left;color:var(--soft);font-size:.85rem;padding:.2rem 0 .4rem}
        th,td{text-align:left;vertical-align:top;padding:.4rem .6rem .4rem 0;\
        border-top:1px solid var(--line)}
        th{font-weight:600}
        .number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
        ul{padding-left:1.1rem;margin:.4rem 0}
        details{margin:.6rem 0}summary{cursor:pointer;color:var(--soft)}
        :focus-visible{outline:2px solid var(--heldout);outline-offset:2px}
        .answer{margin:0 0 .8rem}
        .answer dl{display:grid;gap:.6rem;margin:0}
        .answer dt{color:var(--soft);font-size:.85rem}
        .answer dd{margin:0;white-space:pre-wrap}
        @media (min-width:40rem){.answer dl{grid-template-columns:1fr 1fr;gap:1.2rem}}
        svg{display:block;width:100%;height:auto}
        .chart text{fill:var(--soft);font-size:14px}
        @media (max-width:34rem){.chart text{font-size:24px}}
        .grid{stroke:var(--line)}
        polyline{fill:none;stroke-width:2}polyline.raw{stroke-width:1;opacity:.45}
        polyline.training{stroke:var(--training)}
        polyline.heldout{stroke:var(--heldout)}circle.heldout{fill:var(--heldout)}
        .key span{white-space:nowrap;margin-right:1rem}
        .key i{display:inline-block;width:1.4rem;height:0;border-top:3px solid;\
        vertical-align:middle;margin-right:.4rem}
        .key .training{color:var(--training)}.key .heldout{color:var(--heldout)}
        .range{min-width:4.5rem;width:40%}.range rect.track{fill:var(--track)}
        .range rect.before{fill:var(--training)}.range rect.after{fill:var(--heldout)}
        .range circle{fill:var(--text)}
        footer{margin-top:2.5rem;color:var(--soft);font-size:.85rem}
        """
}
