using Xunit;

namespace Ingestion.Tests.Rendering;

/// <summary>What strangers put into documents, names, metadata and errors to make a page do their work.</summary>
public static class HostileText
{
    public static readonly string[] All =
    [
        "<script>alert(1)</script>", "<ScRiPt src=//evil.example/x.js></sCrIpT>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "<svg><script>alert(1)</script></svg>",
        "[click](javascript:alert(1))", "[click](JaVaScRiPt:alert(1))", "[click](java\tscript:alert(1))", "[click](&#106;avascript:alert(1))", "[click](javascript&colon;alert(1))", "[click](&#x6A;&#x61;vascript:alert(1))",
        "[click](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)", "[click](vbscript:msgbox(1))", "[click](\u0001javascript:alert(1))", "[click]( javascript:alert(1))", "[click](<javascript:alert(1)>)",
        "[ref]\n\n[ref]: javascript:alert(1)", "[ref]: data:text/html,<script>alert(1)</script>\n\n[ref]", "<javascript:alert(1)>", "<data:text/html,x>", "<vbscript:x>",
        "![x](javascript:alert(1))", "![x](http://evil.example/track.png)", "![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)", "[![x](http://evil.example/a.png)](javascript:alert(1))", "![\"onerror=\"alert(1)](x)",
        "[a](http://example.com/\"onmouseover=\"alert(1))", "[a](http://example.com 'x\" onclick=\"alert(1)')", "[a](http://example.com \"x' onclick='alert(1)\")", "[a](//evil.example)", "[a](/sign-out)", "[a](file:///etc/passwd)", "[a](\\\\evil\\share)",
        "<!-- <script>alert(1)</script> -->", "<!--><img src=x onerror=alert(1)>-->", "<style>*{background:url(http://evil.example)}</style>", "<p style=\"background:expression(alert(1))\">x</p>", "<base href=//evil.example>",
        "<meta http-equiv=refresh content=0;url=http://evil.example>", "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>", "<form action=//evil.example><input name=x><button>go</button></form>", "<object data=x></object><embed src=x>",
        "<link rel=stylesheet href=//evil.example/x.css>", "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">", "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "```\"><script>alert(1)</script>\ncode\n```", "```html onclick=alert(1)\n<script>alert(1)</script>\n```", "# Title {onclick=alert(1) .top-bar #main}", "| <script> | b |\n|---|---|\n| <img src=x onerror=alert(1)> | [a](javascript:alert(1)) |",
        "{{constructor.constructor('alert(1)')()}}", "@(System.IO.File.ReadAllText(\"/etc/passwd\"))", "${alert(1)}", "\u001b[31mred\u001b[0m\u001b]8;;http://evil.example\u0007link\u001b]8;;\u0007", "\u202Egnp.exe", "\0<script>alert(1)</script>",
        "<a href=javascript:alert(1)>x</a>", "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;img src=x onerror=alert(1)&#62;", "<details open ontoggle=alert(1)>", "<x onclick=alert(1)>", "</article></main><script>alert(1)</script>", "<!-- page:1 --><script>alert(1)</script>",
        "<!-- page:1\" onclick=\"x -->", "http://evil.example/<script>", "mailto:a@b.example?subject=<script>", "<https://example.com/\"onload=\"x>",
    ];

    public static TheoryData<string> Data => [.. All];
}
