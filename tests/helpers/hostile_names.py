"""Names that files, uploads and archive members may have."""

# Formulas, quotes, line ends, separators, control characters, other encodings.
HOSTILE = [
    *("=1+1", "+1", "-1", "@sum(1)", "=cmd|'/c calc'!A0", "\t=1", "\r=1", "\uff1d1+1"),
    *("'=1", "''=1", "'", "''", "'a", "a=1", "-", "=", "", " "),
    *("a\rb", "a\nb", "a\r\nb", "\r", "\n", 'a"b', '"', "a,b", ",", "a;b"),
    *("\x1b[31mred", "\x00", "caf\u00e9", "latin-\udce9", "\u202egnp.exe", "x" * 5000),
]

# What Streamlit would render: images and other addresses, HTML, formulas, colours, icons, arrows.
HOSTILE_MARKDOWN = [
    *("![](http://elsewhere.test/a.png)", "![a][b]\n\n[b]: http://elsewhere.test/b.png"),
    *("[a](http://elsewhere.test)", "<http://elsewhere.test>", "https://elsewhere.test/c", "//a"),
    *("www.elsewhere.test", "somebody@elsewhere.test", "mailto:a@elsewhere.test"),
    *("<img src='http://elsewhere.test/d.png'>", "<b>a</b>", "&lt;b&gt; &amp; &#58;", "a & b"),
    *("**a** __b__ ~~c~~ `d` *e* _f_", "$x^2$ and $$y$$", "5 $ or 6 $", "a\\b\\", "\\*", "a\\_b"),
    *(":red[a] :blue-background[b]", ":green-badge[c]", ":small[d]", ":smile: :+1: :-1:"),
    *(":material/delete: :material_delete: :streamlit:", ":color[a]{foreground=red}", ":help[a]"),
    *("# a", "## a", "- a", "+ a", "* a", "1. a", "12) a", "> a", "---", "===", "    a", "- [ ] a"),
    *("|a|b|\n|-|-|\n|c|d|", "```mermaid\ngraph TD\n```", "~~~\na\n~~~", "[^1] [^1]: a", "***"),
    *("a -> b <- c <-> d -- e >= f <= g ~= h", "->", "12:30:45", "::a", ":::a", "::: a"),
    *(
        "a: b",
        "3.14",
        "v1.2.",
        "__init__.py",
        "C:\\photos\\a_b.jpg",
        "/data/a_b_c.jpg",
        "{a}{#b .c}",
    ),
]
