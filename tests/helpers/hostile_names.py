"""Names that files, uploads and archive members may have."""

# Formulas, quotes, line ends, separators, control characters, other encodings.
HOSTILE = [
    *("=1+1", "+1", "-1", "@sum(1)", "=cmd|'/c calc'!A0", "\t=1", "\r=1", "\uff1d1+1"),
    *("'=1", "''=1", "'", "''", "'a", "a=1", "-", "=", "", " "),
    *("a\rb", "a\nb", "a\r\nb", "\r", "\n", 'a"b', '"', "a,b", ",", "a;b"),
    *("\x1b[31mred", "\x00", "caf\u00e9", "latin-\udce9", "\u202egnp.exe", "x" * 5000),
]
